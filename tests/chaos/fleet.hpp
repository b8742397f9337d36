// SPDX-License-Identifier: Apache-2.0
//
// Real Awa workers as children, each of which would lead too. They serve the queues queue0,
// queue1, queue2, left, patient and slow, and write down what they have run. The first attempt of a
// job in patient, of kind patient, runs until it is asked to stop; one in slow, of kind slow, takes
// five seconds. They beat twice a second, and as leaders rescue what has been silent for four.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "support/child.hpp"
#include "support/database.hpp"

namespace lockkeeper::test {

class Fleet {
 public:
  // As the login `worker`, which may do what real workers may; ours may end its sessions.
  // They declare the schedule in their code, if it has a name; it fires at every second. The
  // options are JSON, for Awa's client.
  Fleet(const Database& database, int size, const std::string& schedule = "",
        const std::string& options = "{}");
  ~Fleet();  // SIGKILL

  // Another takes its place once it has stopped, cleanly; false if it does not stop.
  bool renew(std::size_t worker);

  std::map<std::string, int> runs() const;  // how often each job has run
  bool has_run(std::size_t jobs) const { return runs().size() == jobs; }
  int most_runs() const;

 private:
  void start(std::size_t worker);
  std::string ledger() const { return folder_ + "/ledger"; }

  std::string folder_;
  std::string url_;
  std::string schedule_;
  std::string options_;
  std::vector<std::unique_ptr<Child>> workers_;
};

// One job in patient.
void enqueue_patient(const Database& database);

}  // namespace lockkeeper::test
