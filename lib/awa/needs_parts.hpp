// SPDX-License-Identifier: Apache-2.0
//
// How the needs are written down, and those that several branches share.
#pragma once

#include <span>

#include "awa/needs.hpp"

namespace lockkeeper::awa {

// A right on one object, whoever needs it.
struct Right {
  Kind kind;
  Plane plane;
  std::string_view name;
  std::string_view rights;
};

constexpr Right canonical(std::string_view table, std::string_view rights) {
  return {Kind::table, Plane::canonical, table, rights};
}
constexpr Right queue(std::string_view table, std::string_view rights) {
  return {Kind::table, Plane::queue_storage, table, rights};
}
constexpr Right children(std::string_view table, std::string_view rights) {
  return {Kind::children, Plane::queue_storage, table, rights};
}
constexpr Right call(std::string_view function) {
  return {Kind::function, Plane::canonical, function, "EXECUTE"};
}
constexpr Right queue_call(std::string_view function) {
  return {Kind::function, Plane::queue_storage, function, "EXECUTE"};
}
constexpr Right lanes(std::string_view rights) {
  return {Kind::lanes, Plane::queue_storage, "", rights};
}
constexpr Right schema(Plane plane, std::string_view right) {
  return {Kind::schema, plane, "", right};
}

inline constexpr std::string_view kRead = "SELECT";
inline constexpr std::string_view kAdd = "INSERT";
inline constexpr std::string_view kLook = "SELECT,INSERT";
inline constexpr std::string_view kChange = "SELECT,UPDATE";  // also what a row lock needs
inline constexpr std::string_view kEnter = "SELECT,INSERT,UPDATE";
inline constexpr std::string_view kTake = "SELECT,DELETE";
inline constexpr std::string_view kRemove = "SELECT,UPDATE,DELETE";
inline constexpr std::string_view kMove = "SELECT,INSERT,UPDATE,DELETE";
inline constexpr std::string_view kClaims = "SELECT,INSERT,DELETE";
inline constexpr std::string_view kTruncate = "SELECT,TRUNCATE";  // TRUNCATE also locks
inline constexpr std::string_view kEmpty = "SELECT,DELETE,TRUNCATE";

// The triggers of jobs_hot and scheduled_jobs.
inline constexpr Right kMarking[] = {
    canonical("admin_dirty_queues", kLook),
    canonical("admin_dirty_kinds", kLook),
    canonical("admin_dirty_queue_marks", kAdd),
    canonical("admin_dirty_kind_marks", kAdd),
    call("job_state_in_bitmask"),
};

// Reserving places in a lane, where need be a new one.
inline constexpr Right kLaneUse[] = {
    schema(Plane::queue_storage, "CREATE"),
    canonical("queue_meta", kRead),
    queue("queue_lanes", kAdd),
    queue("queue_enqueue_heads", kEnter),
    queue("queue_claim_heads", kEnter),
    queue("queue_ring_state", kRead),
    queue("ready_segments", kAdd),
    queue_call("reserve_enqueue_seq"),
    queue_call("ensure_lane_sequences"),
    queue_call("queue_lane_sequence_name"),
    queue_call("sequence_next_value"),
    queue_call("set_sequence_next"),
    lanes(kChange),
};

struct Needing {
  std::string_view branch;
  std::span<const Right> rights;
};

std::span<const Needing> slo_needs();
std::span<const Needing> hygiene_needs();

}  // namespace lockkeeper::awa
