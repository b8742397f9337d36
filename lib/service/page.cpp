// SPDX-License-Identifier: Apache-2.0
#include "service/page.hpp"

namespace lockkeeper::service {

std::string_view page() {
  return R"html(<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Lockkeeper</title>
<style>
  body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 64rem; padding: 0 1rem;
         color: #1c2b33; background: #f6f8f9; }
  h1 { font-size: 1.3rem; margin: 0 0 .2rem; } h2 { font-size: 1rem; margin: 1.6rem 0 .4rem; }
  #state { padding: .1rem .6rem; border-radius: 1rem; background: #d5dde1; }
  #state.leading { background: #bfe8cf; } #state.standby { background: #cfe0f5; }
  #state.bad { background: #f6c8c0; }
  .lane { border-left: .35rem solid #4d8fac; padding-left: .8rem; } .lane.hygiene { border-color: #a8b59a; }
  table { width: 100%; border-collapse: collapse; } th { text-align: left; font-weight: 600; color: #5b6c75; }
  td, th { padding: .2rem .5rem; border-bottom: 1px solid #e1e7ea; } td.n, th.n { text-align: right;
         font-variant-numeric: tabular-nums; }
  tr.late td { background: #fbe1dc; } .quiet { color: #5b6c75; } #reasons { color: #a3301c; }
</style>
<h1>Lockkeeper <span id="version" class="quiet"></span> <span id="state">…</span></h1>
<div id="sentence" class="quiet"></div><div id="reasons"></div>
<h2>SLO lane: what people wait for</h2><div class="lane slo"><table id="slo"></table></div>
<h2>Hygiene lane: what only the disk waits for</h2><div class="lane hygiene"><table id="hygiene"></table></div>
<p id="rings" class="quiet"></p><p class="quiet"><a href="metrics">metrics</a> · <a href="status">status</a></p>
<script>
const put = (id, text) => document.getElementById(id).textContent = text;
const span = s => s === null ? "–" : Math.abs(s) < 1 ? (s * 1000).toFixed(1) + " ms" : s.toFixed(1) + " s";
function cell(row, text, number) {
  const td = row.insertCell(); td.textContent = text; if (number) td.className = "n";
}
function lane(id, branches) {
  const table = document.getElementById(id); table.replaceChildren();
  const head = table.insertRow();
  for (const [i, name] of ["branch", "every", "next in", "lateness", "took", "rows", "last"].entries()) {
    const th = document.createElement("th"); th.textContent = name;
    if (i > 0 && i < 6) th.className = "n"; head.append(th);
  }
  for (const b of branches) {
    const row = table.insertRow(); if (b.late) row.className = "late";
    cell(row, b.branch); cell(row, span(b.every_seconds), 1); cell(row, span(b.next_due_in_seconds), 1);
    cell(row, span(b.last_lateness_seconds), 1); cell(row, span(b.last_duration_seconds), 1);
    cell(row, b.rows.toLocaleString(), 1);
    cell(row, !b.enabled ? "off" : [b.last_outcome ?? "–", b.last_reason].filter(Boolean).join(": "));
  }
}
async function look() {
  const state = document.getElementById("state");
  try {
    const s = await (await fetch("status", {cache: "no-store"})).json();
    put("version", s.version); put("state", s.state);
    state.className = s.not_ready.length ? "bad" : s.state;
    put("sentence", s.sentence + (s.lock_holder ? ` Lock: pid ${s.lock_holder.pid} (${s.lock_holder.application_name}).` : ""));
    put("reasons", s.not_ready.join(" "));
    for (const id of ["slo", "hygiene"]) lane(id, s.branches.filter(b => b.lane === id));
    put("rings", s.rings.map(r => `${r.ring} ring: slot ${r.slot}, generation ${r.generation}`).join(" · "));
  } catch { put("state", "no answer"); state.className = "bad"; }
  setTimeout(look, 1000);
}
look();
</script>
</html>
)html";
}

}  // namespace lockkeeper::service
