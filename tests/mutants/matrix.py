# SPDX-License-Identifier: Apache-2.0
"""Faults that cases of tests/matrix.md are there for, for branches.py."""

SQL = "lib/awa/sql/"
BRANCHES = "lib/branches/"

# number, file, what stands there, what the fault makes of it, what is wrong then, who must notice
MUTANTS = [
    ("T2", SQL + "queue/make_ready.sql", "ORDER BY d.run_at, d.job_id) - 1", "ORDER BY d.job_id) - 1",
     "a batch is ready in the order of its numbers", "a batch is one segment a lane*"),
    ("T3", SQL + "queue/make_ready.sql", "ORDER BY d.run_at, d.job_id) - 1", "ORDER BY d.run_at DESC, d.job_id DESC) - 1",
     "what is due last is ready first", "more due jobs than*"),
    ("T6", SQL + "queue/close_claims.sql", "'rescued'", "'rescue'",
     "a row-local receipt is closed with the word of a lease", "of attempts of every kind*"),
    ("T10", BRANCHES + "rescue/history.cpp", "open_.add(open);", "",
     "what was alive once is never looked at again",
     "what has ended is not looked at in each pass*"),
    ("T10", BRANCHES + "rescue/history.cpp", "if (!is_known) *this = History();", "if (!is_known) open_ = Candidates();",
     "a sweep goes on where the last one ended", "an attempt that is older*"),
    ("T11", BRANCHES + "rescue/rescue_canonical.cpp", '"idx_awa_jobs_unique"', '"idx_of_nothing"',
     "a canonical job whose key is taken stops the others or stays", "a canonical job whose key*"),
    ("T11", SQL + "queue/settle_rescued.sql", "ON CONFLICT (unique_key) DO NOTHING",
     "ON CONFLICT (unique_key) DO UPDATE SET job_id = excluded.job_id",
     "a rescued job takes its key from a newer one", "whether a rescued job keeps its key*"),
    ("T12", SQL + "canonical/rescue_attempts.sql", "$5::boolean AND j.attempt >= j.max_attempts AS is_last",
     "$5::boolean IS NOT NULL AND j.attempt >= j.max_attempts AS is_last",
     "a canonical job's last attempt fails unasked", "an attempt at its job's limit*"),
    ("T14", SQL + "queue/finish_rescued.sql", "$7::awa.job_state, a.priority,", "$7::awa.job_state, 1,",
     "two rows have one lane's priority", "callbacks of two lanes*"),
    ("T17", SQL + "canonical/find_stale.sql", "j.state = 'running'", "j.state::text = 'running'",
     "the partial index cannot be used", "stale canonical jobs are found without*"),
    ("T18", "lib/awa/gate.cpp", "found.version == kSchemaVersion", "found.version >= kSchemaVersion",
     "a newer version is taken for ours", "awa: a version is refused by its number*"),
    ("T18", "lib/awa/gate.cpp", "found.version == kSchemaVersion", "found.version >= kSchemaVersion",
     "a newer version is led", "leadership: an unknown version is refused*"),
    ("T23", SQL + "gate/patch.sql", "tables = 2 AND functions = 5 AS is_patched", "tables > 0 AS is_patched",
     "half a patch is taken for one", "awa: what hurts but does not stop*"),
    ("T24", "lib/awa/gate.cpp", "if (slo.empty() || is_any_able) return true;", "(void)is_any_able; return true;",
     "who can do nothing of the slo lane leads", "awa: where the schema patch is*"),
    ("T26", SQL + "queue/settle_claims.sql", "AND (SELECT c.job_id FROM awa.job_unique_claims c WHERE c.unique_key ="
     " j.unique_key) IS DISTINCT FROM j.job_id", "AND false",
     "a job whose key is taken becomes available", "a superseded job at the head*"),
    ("H4", SQL + "cleanup/delete_completed.sql", "COALESCE(k.kept, $2::interval)", "$2::interval",
     "a queue's own retention is ignored", "finished canonical jobs go*"),
    ("H9", SQL + "cron/fire.sql", "IS NOT DISTINCT FROM $2::bigint", "IS NOT DISTINCT FROM $2::bigint OR true",
     "two fire the same fire", "of two that evaluate*"),
    ("H11", BRANCHES + "cron/cron_eval.cpp", "if (has_more) waiting.push_back(&schedule);", "(void)has_more;",
     "one fire of each schedule a pass", "fires that were missed by the hundred*"),
    ("H15", SQL + "admin/has_dirty_keys.sql", "SELECT EXISTS (SELECT FROM awa.admin_dirty_queues) OR EXISTS (SELECT FROM awa.admin_dirty_kinds) AS",
     "SELECT false AS",
     "the keys of an unpatched table are never looked at", "with half of the schema patch*"),
    ("two", SQL + "cron/fire.sql", "IS NOT DISTINCT FROM $2::bigint", "IS NOT DISTINCT FROM $2::bigint OR true",
     "two leaders fire the same fire", "two leaders*"),
]
