# SPDX-License-Identifier: Apache-2.0
"""Planted faults: each lint on C++ must see its own, and leave good code alone."""

import unittest

import lint_coroutines
import lint_floors
import lint_sizes
from source import blank


def floors(path, text):
    return list(lint_floors.check(path, text))


def coroutines(statement):
    return list(lint_coroutines.check("x.cpp", "Task<void> f() {\n  " + statement + "\n}\n"))


def sizes(path, text):
    return list(lint_sizes.check(path, text))


class Floors(unittest.TestCase):
    def test_an_include_upward_is_seen(self):
        self.assertTrue(floors("lib/pg/a.cpp", '#include "awa/sql.hpp"\n'))

    def test_an_include_on_the_same_floor_is_seen(self):
        self.assertTrue(floors("lib/http/a.cpp", '#include "pg/session.hpp"\n'))

    def test_an_include_downward_and_one_in_the_room_are_fine(self):
        self.assertEqual([], floors("lib/pg/a.cpp", '#include "pg/b.hpp"\n#include "time/clock.hpp"\n'))

    def test_a_room_without_a_floor_is_seen(self):
        self.assertTrue(floors("lib/cellar/a.cpp", ""))

    def test_each_library_has_one_door(self):
        for header, room in [("uv.h", "pg"), ("libpq-fe.h", "awa"), ("toml++/toml.h", "service"),
                             ("microhttpd.h", "service"), ("CLI/CLI.hpp", "service"),
                             ("prometheus/registry.h", "service"), ("spdlog/spdlog.h", "pg"),
                             ("date/tz.h", "branches"), ("catch2/catch.hpp", "coro")]:
            with self.subTest(header):
                self.assertTrue(floors(f"lib/{room}/a.cpp", f"#include <{header}>\n"))
                self.assertTrue(floors(f"lib/{room}/a.cpp", f'# include "{header}"\n'))

    def test_the_room_with_the_door_may_use_it(self):
        self.assertEqual([], floors("daemon/main.cpp", "#include <CLI/CLI.hpp>\n"))


class Coroutines(unittest.TestCase):
    def test_braces_after_co_await_are_seen(self):
        for statement in ["co_await query(sql, {a, b});", "co_await query(Options{.a = 1});",
                          "auto x = co_await query(sql,\n    std::array{a, b});",
                          "if (co_await query({a}) > 0) g();", "g(co_await f(), Pair{1, 2});",
                          "for (auto& x : co_await rows({1})) g(x);",
                          "co_return Outcome{.rows = co_await f()};"]:
            with self.subTest(statement):
                self.assertTrue(coroutines(statement))

    def test_a_lambda_after_co_await_is_seen(self):
        self.assertTrue(coroutines("co_await attempt([text] { return text; });"))

    def test_round_brackets_are_fine(self):
        for statement in ["co_await query(sql, a, b);", "if (co_await query(a) > 0) { g(); }",
                          "while (co_await more()) {\n g();\n }", "for (auto& x : co_await rows(1)) { g(x); }",
                          "const Pair p{1, 2};\n  co_await query(p);", 'co_await query("{a}");',
                          "co_await query(a);  // {not code}\n  Pair q{1};", "} else if ((co_await f()) > 1) {",
                          "for (; co_await more();) { g(); }"]:
            with self.subTest(statement):
                self.assertEqual([], coroutines(statement))

    def test_a_coroutine_lambda_with_captures_is_seen(self):
        self.assertTrue(coroutines("auto g = [&ctx](int n) -> Task<void> { co_await ctx.f(n); };"))
        self.assertEqual([], coroutines("auto g = [&ctx](int n) { ctx.f(n); };\n  co_await h(g);"))
        self.assertEqual([], coroutines("auto g = [](Ctx& c) -> Task<void> { co_await c.f(); };"))


class Sizes(unittest.TestCase):
    def test_a_long_function_is_seen(self):
        body = "  g();\n" * 59
        self.assertTrue(sizes("a.cpp", "namespace x {\nvoid A::f() const {\n" + body + "}\n}\n"))
        self.assertTrue(sizes("a.cpp", 'TEST_CASE("a {", "[x]") {\n' + body + "}\n"))
        self.assertTrue(sizes("a.hpp", "template <class T>\nclass A {\n void f() {\n" + body + " }\n};\n"))

    def test_a_function_of_60_lines_is_fine(self):
        self.assertEqual([], sizes("a.cpp", "void f() {\n" + "  g();\n" * 58 + "}\n"))

    def test_a_long_table_or_class_is_no_function(self):
        self.assertEqual([], sizes("a.cpp", "constexpr int k[] = {\n" + "  1,\n" * 80 + "};\n"))
        self.assertEqual([], sizes("a.hpp", "class A {\n" + "  void f();\n" * 80 + "};\n"))

    def test_a_long_file_is_seen(self):
        self.assertTrue(sizes("a.cpp", "int a;\n" * 301))
        self.assertTrue(sizes("a.hpp", "int a;\n" * 151))
        self.assertTrue(sizes("a.sql", "SELECT 1\n" * 61))

    def test_a_sixth_parameter_is_seen(self):
        self.assertTrue(sizes("a.cpp", "void f(int a, int b, int c, int d, int e, int g) {}\n"))
        self.assertTrue(sizes("a.cpp", "A::A(int a, int b, int c, int d, int e, int g) : a_{a} {}\n"))
        self.assertEqual([], sizes("a.cpp", "void f(std::map<A, B> a, F<int(int, int)> b, int c, int d, int e) {}\n"))
        self.assertEqual([], sizes("a.cpp", "bool A::operator()(int a, int b) const {}\n"))


class Blank(unittest.TestCase):
    def test_comments_and_literals_keep_their_lines(self):
        text = 'a("{\\"", \'{\');  // {\n/* {\n */ b(R"x(\n{ " )x");\n'
        self.assertNotIn("{", blank(text))
        self.assertEqual(text.count("\n"), blank(text).count("\n"))

    def test_a_digit_separator_is_no_literal(self):
        self.assertIn("{", blank("x = 1'000; if (a) { y = 2'000; }"))


if __name__ == "__main__":
    unittest.main()
