#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Plants one fault at a time in the branches, below and around them, among them what the reference does, and
asks the test that is there for it.

Run by hand: tests/mutants/branches.py [WORD]. Exits with 1 if a fault survives; with a word, only
the faults whose line has it. The checkout is not touched: everything is built from a copy, in
about half an hour.
"""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

import admin
import hygiene
import matrix
import operations
import rooms
from planting import plant

ROOT = pathlib.Path(__file__).resolve().parents[2]
SQL = "lib/awa/sql/"
BRANCHES = "lib/branches/"

# defect, file, what stands there, what the fault makes of it, what is wrong then, who must notice: a
# test of the branches, or of another suite, as "awa: a test" or "unit.service: a test"
MUTANTS = [
    ("D1", SQL + "parts/not_ended.sql", "r.receipt_id NOT IN (SELECT c.receipt_id FROM closed c)", "true",
     "a receipt is closed by the first look", "an attempt that ends between*"),
    ("D1", SQL + "queue/lock_batches.sql", "WHERE pg_try_advisory_xact_lock(hashtextextended("
     " format('awa.receipt.complete:%s:%s', w.job_id, w.run_lease), 0))", "",
     "compact receipts are closed without their key", "an attempt whose key*"),
    ("D1", SQL + "queue/lock_claims.sql", "FOR UPDATE OF c SKIP LOCKED", "",
     "row-local receipts are closed without their row", "an attempt whose row*"),
    ("D2", SQL + "queue/settle_claims.sql", "ON CONFLICT (unique_key) DO NOTHING", "",
     "a unique conflict fails the batch", "a superseded job is cancelled*"),
    ("D2", BRANCHES + "promotion/promote_canonical.cpp", "co_return co_await isolating;", "co_return false;",
     "a unique conflict ends canonical promotion", "a superseded job is cancelled*"),
    ("D2", BRANCHES + "fault.cpp", "if (!failure) failure = std::current_exception();", "failure = nullptr; throw;",
     "a fault of one plane ends the pass", "what stops a plane as a whole*,what stops queue storage*"),
    ("D3", SQL + "queue/take_due.sql", "WHERE pg_try_advisory_xact_lock(hashtextextended("
     " format('%I.%I', :'schema', h.seq_name), 0))", "",
     "promotion waits for the lane of a producer", "a lane held by a producer*"),
    ("D5", SQL + "queue/defer_rescued.sql", "LEAST(a.own_attempt, 17)", "a.own_attempt",
     "the back-off function is asked beyond its reach", "attempts beyond the reach*"),
    ("D6", SQL + "queue/close_batches.sql", "FROM open o WHERE o.is_last IS NOT NULL GROUP", "FROM open o GROUP",
     "a compact receipt without its ready row is closed", "a missing ready row*"),
    ("D6", SQL + "parts/attempt.sql", "CASE jsonb_typeof(r.payload) WHEN 'object' THEN r.payload ELSE '{}' END",
     "r.payload", "a payload that is no object is trusted", "a payload that is no object*"),
    ("D7", SQL + "queue/defer_rescued.sql", "'retryable', a.priority,",
     "'retryable', (SELECT b.priority FROM :\"schema\".lease_claim_batches b WHERE a.job_id = ANY (b.job_ids)),",
     "the priority of an aged claim becomes the job's", "a job that was claimed as an aged one*"),
    ("D7", SQL + "queue/finish_rescued.sql", "$7::awa.job_state, a.priority,", "$7::awa.job_state, 1,",
     "the priority of an aged claim becomes the terminal row's", "aged claims of two lanes*"),
    ("D8", BRANCHES + "promotion/looking.cpp", "ctx.planes().has_queue_storage()",
     "ctx.planes().is_queue_storage_routed()", "promotion serves the routed plane only", "both planes are served*"),
    ("D8", BRANCHES + "rescue/rescue_pass.cpp", "ctx.planes().has_queue_storage()",
     "ctx.planes().is_queue_storage_routed()", "rescue serves the routed plane only", "both planes are served*"),
    ("D10", SQL + "queue/make_ready.sql", "ORDER BY d.run_at, d.job_id", "ORDER BY md5(d.job_id::text)",
     "lane numbers in any order", "a batch is one segment*"),
    ("D10", SQL + "queue/make_ready.sql", "m.shard, now(), m.attempted_at", "m.shard, clock_timestamp(), m.attempted_at",
     "each job has a time of its own", "whatever everybody does*"),
    ("D11", BRANCHES + "rescue/rescue_canonical.cpp", "refusal->constraint() == \"idx_awa_jobs_unique\"",
     "refusal->state().is_unique_violation()", "any 23505 is a unique conflict", "a canonical job that another constraint*"),
    ("D15", SQL + "queue/tell_workers.sql", "t.state = 'active'", "t.state <> 'active'",
     "workers are told in a transition, and only then", "the worker of a rescued attempt*"),
    ("D15", SQL + "canonical/rescue_attempts.sql", "s.state NOT IN ('canonical', 'prepared')", "s.state = 'canonical'",
     "workers are told of the plane that is not routed", "the worker of a rescued attempt*"),
    ("D16", SQL + "queue/lock_leases.sql", "WHERE pg_try_advisory_xact_lock(hashtextextended("
     " format('awa.receipt.complete:%s:%s', w.job_id, w.run_lease), 0))", "",
     "a lease ends under the hands of its heartbeat", "a lease whose worker holds its key*"),
    ("D17", SQL + "queue/close_receipts.sql", "WHERE b.ready_slot = p.slot AND b.ready_generation = p.generation OFFSET 0",
     "OFFSET 0", "every retained batch is opened", "to close a lease*"),
    ("D21", SQL + "queue/close_leases.sql", "AND ((l.job_id, l.run_lease) IN ("
     " SELECT o.job_id, o.run_lease FROM open o WHERE o.is_last IS NOT NULL)) IS TRUE", "",
     "a lease ends by its job alone", "a lease of a later attempt*"),
    ("D27", SQL + "queue/next_due_alone.sql", "d.state = 'scheduled' AND d.run_at <= now()",
     "d.state = 'scheduled' AND d.run_at <= clock_timestamp()", "the look reads all that is deferred", "what is not yet due*"),
    ("D27", SQL + "queue/take_due.sql", "WHERE d.state = $1::awa.job_state AND d.run_at <= now() AND d.run_at >=",
     "WHERE d.state = $1::awa.job_state AND d.run_at <= clock_timestamp() AND d.run_at >=",
     "a batch reads all that is deferred", "what is not yet due*"),
    ("H", SQL + "queue/take_due.sql", "AND d.queue NOT IN (SELECT m.queue FROM awa.queue_meta m WHERE m.paused)", "",
     "paused queues are promoted", "a paused queue*"),
    ("H", SQL + "queue/take_due.sql", "FOR UPDATE OF d SKIP LOCKED OFFSET 0) d WHERE d.state = $1::awa.job_state AND d.run_at <= now() ORDER",
     "OFFSET 0) d WHERE d.state = $1::awa.job_state AND d.run_at <= now() ORDER",
     "jobs are moved without their lock", "jobs that somebody else has locked*"),
    ("H", SQL + "queue/take_due.sql", "SELECT s.state FROM awa.storage_transition_state s FOR SHARE",
     "SELECT s.state FROM awa.storage_transition_state s", "no share lock on the transition", "the transition cannot move*"),
    ("H", SQL + "queue/lock_claims.sql", "SELECT s.state FROM awa.storage_transition_state s FOR SHARE",
     "SELECT s.state FROM awa.storage_transition_state s", "no share lock in a rescue", "the transition cannot move*"),
    ("H", SQL + "queue/make_ready.sql", "'awa:' || n.name", "'awa.' || n.name", "a NOTIFY nobody hears", "workers hear of*"),
    ("H", SQL + "parts/ready_row.sql", "ORDER BY EXISTS (", "ORDER BY NOT EXISTS (",
     "the successor comes from the entombed row", "a job that was moved*"),
    ("H", SQL + "queue/act_as_owner.sql", "current_user = session_user", "false",
     "new lanes are ours alone", "a lane that promotion makes*"),
    ("H", SQL + "queue/settle_claims.sql", "j.claims AND NOT j.shall_claim)) AND", "false)) AND",
     "a key is not given up", "a promoted job claims*"),
    ("H", SQL + "parts/not_ended.sql", "AND NOT EXISTS (SELECT FROM :\"schema\".leases l"
     " WHERE l.job_id = r.job_id AND l.run_lease = r.run_lease OFFSET 0)", "",
     "an attempt with a lease is rescued as a receipt", "an attempt that gets a lease*"),
    ("D4", SQL + "parts/is_last.sql", "e.attempt + 1 >= e.max_attempts", "e.attempt >= e.max_attempts",
     "the last attempt is not known as the last", "attempts count where*"),
    ("D13", BRANCHES + "rescue/rescue.cpp", "bury(tx, failed.only(dead_letters, true))", "bury(tx, failed.only({}, true))",
     "dead letters are lost", "a job that fails becomes a dead letter*"),
    ("D15", BRANCHES + "rescue/rescue.cpp", "pass_.kind.state == kRunning", "true",
     "the workers of parked jobs are told to stop", "a parked job with attempts left*"),
    ("H", SQL + "queue/close_claims.sql", "CASE $5::text WHEN 'deadline' THEN r.deadline_at", "CASE $5::text WHEN 'x' THEN r.deadline_at",
     "a heartbeat protects from the deadline", "receipts past their deadline*"),
    ("H", SQL + "queue/close_leases.sql", "CASE $5::text WHEN 'callback_timeout' THEN 'waiting_external' ELSE 'running' END::awa.job_state",
     "r.state", "an attempt that runs is taken for a parked one", "an attempt that runs is not*"),
    ("H", SQL + "queue/find_expired_claims.sql", "ORDER BY o.at DESC, o.job_id DESC", "ORDER BY o.at, o.job_id",
     "the next look begins where this one did", "finished receipts do not hide one that is past*"),
    ("H", SQL + "queue/find_stale_batches.sql", "LIMIT 1001", "LIMIT 1000",
     "a thousand small batches end the search", "a thousand batches of one attempt*"),
    ("H", SQL + "queue/find_stale_leases.sql", "$2::timestamptz::text AS cursor_at",
     "substr($2::timestamptz::text, 99) AS cursor_at",
     "the second window of leases begins nowhere", "more leases than a look names*"),
    ("H", BRANCHES + "rescue/history.cpp", "&& now - began_ < kRarely * took_", "",
     "what was seen once is never looked at again", "a claim that comes to light*"),
    ("H", BRANCHES + "rescue/history.cpp", "open_.add(open);", "",
     "what was open when it was seen is forgotten", "what has ended is not looked at*"),
    ("H", BRANCHES + "rescue/history.cpp", "windows_ > kFewWindows", "windows_ < kFewWindows",
     "each pass looks at all that has ended", "what has ended is not looked at*"),
    ("H", BRANCHES + "rescue/rescue_pass.cpp", "if (!has_both || is_taken_back", "if (has_both || is_taken_back",
     "a locked table of one plane ends the rescue", "a table that somebody has locked*"),
    ("H", BRANCHES + "promotion/looking.cpp", "if (is_taken_back(pass.ctx, error)",
     "if (true || is_taken_back(pass.ctx, error)",
     "a locked table of one plane ends promotion", "a table that somebody has locked*"),
    ("H", SQL + "queue/settle_claims.sql", "ORDER BY j.unique_key, j.run_at", "ORDER BY j.run_at",
     "keys are locked in any order", "keys are taken in their own order*"),
    ("H", SQL + "queue/dead_letters.sql", "i.last_seen_at >= now() - GREATEST", "i.last_seen_at >= now() - interval '1 day' - GREATEST",
     "a worker that is gone decides about dead letters", "what live workers publish*"),
    ("H", SQL + "canonical/rescue_attempts.sql", "$5::boolean AND j.attempt >= j.max_attempts AS is_last", "false AS is_last",
     "canonical attempts never count", "canonical jobs are tried again*"),
    ("H", SQL + "parts/attempt.sql", "r.attempt + 1 AS own_attempt", "r.attempt + 2 AS own_attempt",
     "a cancelled attempt is one too many", "whatever everybody does*"),
    ("cron", SQL + "cron/fire.sql", "AND c.paused_at IS NULL", "",
     "a schedule fires that was paused after the look", "a schedule that is paused or*"),
    ("cron", SQL + "cron/fire.sql", "IS NOT DISTINCT FROM $2::bigint", "IS NOT DISTINCT FROM $2::bigint OR true",
     "two leaders fire twice", "another leader that was faster*"),
    ("cron", SQL + "cron/fire.sql", "FOR UPDATE OF c SKIP LOCKED", "FOR UPDATE OF c",
     "a row that somebody writes is waited for", "a schedule that somebody*"),
    ("cron", SQL + "cron/fire.sql", "f.max_attempts, now(),", "f.max_attempts, NULL,",
     "canonical workers are not woken", "workers hear of a fired*"),
    ("cron", SQL + "cron/changed.sql", "WHERE p.so_far <= 40000", "WHERE p.so_far > 0",
     "a page has no limit", "a thousand schedules*"),
    ("cron", BRANCHES + "cron/cron_eval.cpp", "pass.held_queues.insert(schedule.row.queue);", "",
     "each schedule of a held lane waits for it", "a lane that a producer holds delays*"),
    ("cron", BRANCHES + "cron/cron_eval.cpp", "waiting.push_back(&schedule);", "waiting.push_front(&schedule);",
     "one schedule catches up before the others", "each pass makes so many*"),
    ("cron", BRANCHES + "cron/cron_eval.cpp", "if (pass.ctx.planes().is_queue_storage_routed())", "if (false)",
     "lanes of fires are ours alone", "a lane that a fire makes*"),
    ("cron", BRANCHES + "cron/cron_schedules.cpp", "if (!says_the_same) {", "{",
     "a bad row is bad news each time it is written", "a job that Awa refuses*"),
    ("H1", SQL + "diagnose/claims.sql", "count(*) FILTER (WHERE j.is_held IS NULL) AS without_job", "0 AS without_job",
     "a claim without a job is not counted", "a claim is leaked*"),
    ("H1", SQL + "diagnose/claims.sql", "FROM :\"schema\".dlq_entries q WHERE q.job_id = p.job_id",
     "FROM :\"schema\".dlq_entries q WHERE false", "a dead letter does not speak for its claim", "a claim whose job*"),
    ("H1", SQL + "diagnose/claims.sql", "AND x.run_lease > r.run_lease", "AND false",
     "a failed job's ready row speaks for its claim", "a claim is leaked*"),
    ("H1", BRANCHES + "observation/diagnose.cpp", "walk.key = rows.text(0, 1);", "", "the walk does not go on",
     "claims are counted page by page*"),
    ("1.7", SQL + "diagnose/lanes.sql", "WHEN e.lane_seq > h.next AND e.is_spent THEN 'gap'",
     "WHEN e.lane_seq > h.next THEN 'gap'", "a gap alone is a wedge", "a lane whose cursor stands in a gap*"),
    ("1.7", SQL + "diagnose/lanes.sql", "WHEN e.lane_seq > h.next AND e.is_spent THEN 'gap'",
     "WHEN e.is_spent THEN 'gap'", "a cursor that lags is a wedge", "a cursor that lags behind*"),
    ("1.7", SQL + "diagnose/lanes.sql", "a.claimed_at < now() - interval '1 minute' AS is_spent",
     "a.claimed_at IS NOT NULL AS is_spent", "a claim of this moment is a wedge", "a lane whose cursor stands in a gap*"),
    ("1.7", SQL + "diagnose/lanes.sql", "WHEN h.next > h.coming THEN 'beyond' ", "",
     "a cursor beyond is not seen", "a cursor beyond*"),
    ("1.7", SQL + "diagnose/lanes.sql", "AND NOT EXISTS ( SELECT FROM :\"schema\".ready_tombstones t", "AND EXISTS ("
     " SELECT FROM :\"schema\".ready_tombstones t", "only cancelled jobs wait", "the job that has waited longest*"),
    ("–", SQL + "diagnose/available.sql",
     "EXISTS (SELECT FROM awa.queue_meta m WHERE m.queue = l.queue AND m.paused) AS is_paused", "false AS is_paused",
     "a paused canonical queue waits", "of the canonical plane too*"),
    ("–", BRANCHES + "observation/diagnose.cpp", "if (error.state().is_lock_not_available()) return true;",
     "if (took.count() < 0) return true;",
     "what is in somebody's way fails the pass", "what is in somebody's way is given up*"),
    ("–", BRANCHES + "observation/diagnose.cpp", "error.state().is_cancelled() && took >= kServersLimit",
     "error.state().is_cancelled() && took >= 0 * kServersLimit", "a turn that was taken back counts as given up", "a diagnosis that is taken back*"),
    ("–", BRANCHES + "observation/diagnose.cpp", "if (error.state().is_cancelled()) pace.cut_short();", "",
     "a page that was too much is asked for again", "what takes the server too long*"),
    ("–", BRANCHES + "report.cpp", "logging::shortened(logging::printable(text), kLongestLabel)", "logging::printable(text)",
     "a name of others is as long as it is", "a name of others is cut*"),
    ("H5", BRANCHES + "rings/prune_oldest.cpp", "if (memory.refusals == 0) ctx.report().ring_free(ring.name);", "",
     "a ring that is free again stays pinned", "what pins a ring is a series*"),
    ("–", SQL + "rings/delete_rows.sql", 'FROM :"schema".:"child_k"', 'FROM :"schema".:"child_k" WHERE ctid <> \'(0,1)\'',
     "a row of a small slot is left behind", "a small table is emptied*"),
    ("–", BRANCHES + "rings/prune_rings.cpp", 'is_truncated(tables, row) ? "rings/truncate"', 'true ? "rings/truncate"',
     "small slots are truncated", "a small table is emptied*"),
    ("–", SQL + "parts/room.sql", "+ COALESCE(pg_relation_size(NULLIF(c.reltoastrelid, 0)), 0)", "",
     "megabytes of arguments are deleted under the lock", "what is stored out of line*"),
    ("–", SQL + "parts/room.sql", "OR room.is_fixed", "",
     "the server refuses to delete, and the ring stands", "where deletes are published*"),
    ("–", BRANCHES + "rings/prune_rings.cpp", "if (is_last && has_way_back) {", "if (false) {",
     "a deletion holds the slo lane up", "deleting can be taken back*"),
    ("–", BRANCHES + "rings/prune_rings.cpp", "kFewBytes = 256 << 10;", "kFewBytes = 1LL << 40;",
     "dead rows make a slot grow", "a small table is emptied*"),
]


def planted():
    return MUTANTS + admin.MUTANTS + hygiene.MUTANTS + matrix.MUTANTS + operations.MUTANTS + rooms.MUTANTS


def run(words, **options):
    return subprocess.run([str(word) for word in words], capture_output=True, text=True, **options)


def split(tests):
    """The program and the test of it."""
    suite, colon, test = tests.rpartition(": ")
    kind, dot, room = (suite if colon else "branches").rpartition(".")
    return f"{room}_{kind if dot else 'integration'}_tests", test


def build(folder, program):
    done = run(["ninja", "-C", folder / "build", program])
    if done.returncode != 0:
        raise SystemExit(done.stdout[-3000:])


def is_noticed(folder, program, test):
    build(folder, program)
    return run([folder / "build/tests" / program, test], timeout=300).returncode != 0


def copy_to(folder):
    for name in ("CMakeLists.txt", "lib", "daemon", "tests", "config"):
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name)
        else:
            shutil.copy(source, folder / name)
    run(["cmake", "-S", folder, "-B", folder / "build", "-G", "Ninja", "-DCMAKE_CXX_COMPILER_LAUNCHER=ccache"],
        check=True)


def main():
    word = sys.argv[1] if len(sys.argv) > 1 else ""
    wanted = [mutant for mutant in planted() if word in " ".join(mutant)]
    survivors = 0
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        os.chmod(folder, 0o755)  # the server's user reads nothing here, but passes through
        copy_to(folder)
        asked = {}
        for program, test in sorted({split(mutant[5]) for mutant in wanted}):
            asked.setdefault(program, []).append(test)
        for program, tests in asked.items():
            if is_noticed(folder, program, ",".join(tests)):
                raise SystemExit(f"the tests of {program} fail without a fault")
        for defect, path, old, new, what, tests in wanted:
            original = (folder / path).read_text()
            (folder / path).write_text(plant(original, old, new))
            noticed = is_noticed(folder, *split(tests))
            (folder / path).write_text(original)
            survivors += not noticed
            print(f"{defect:<4} {'noticed ' if noticed else 'SURVIVED'} {what}: {tests}", flush=True)
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main())
