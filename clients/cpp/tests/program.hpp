#pragma once

#include <sys/types.h>

#include <string>

/// `feedline serve` of the vectors' dataset, as a process.
class Program {
  public:
    explicit Program(const std::string& listen = "127.0.0.1:0");
    ~Program() { kill(); }
    Program(const Program&) = delete;
    Program& operator=(const Program&) = delete;

    /// Where it listens.
    const std::string& address() const { return address_; }

    /// Ends it at once, and waits until it is gone.
    void kill();

  private:
    pid_t id_ = -1;
    int output_ = -1;
    std::string address_;
};
