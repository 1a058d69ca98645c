#include "program.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <stdexcept>
#include <vector>

namespace {

/// The first line that is written to `output`.
std::string first_line(int output) {
    std::string line;
    for (;;) {
        pollfd waiting{output, POLLIN, 0};
        if (poll(&waiting, 1, 120'000) != 1) throw std::runtime_error("the server says nothing");
        char letter = 0;
        if (read(output, &letter, 1) != 1) throw std::runtime_error("the server ended: " + line);
        if (letter == '\n') return line;
        line += letter;
    }
}

}  // namespace

Program::Program(const std::string& listen) {
    const char* named = std::getenv("FEEDLINE");
    std::vector<std::string> words{named ? named : FEEDLINE_PROGRAM,
                                   "--log",
                                   "warn",
                                   "serve",
                                   FEEDLINE_VECTORS "/dataset",
                                   "--listen",
                                   listen,
                                   "--threads",
                                   "2"};
    std::vector<char*> arguments;
    for (auto& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);

    std::array<int, 2> pipe{};
    if (pipe2(pipe.data(), O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
    output_ = pipe[0];
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, pipe[1], STDOUT_FILENO);
    const int failed = posix_spawn(&id_, arguments[0], &actions, nullptr, arguments.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    close(pipe[1]);
    if (failed != 0) {
        id_ = -1;
        kill();
        throw std::runtime_error("can't start " + words[0] + "; FEEDLINE names the program");
    }
    try {
        const std::string line = first_line(output_), greeting = "listening on ";
        if (!line.starts_with(greeting)) throw std::runtime_error("the server said: " + line);
        address_ = line.substr(greeting.size());
    } catch (...) {
        kill();
        throw;
    }
}

void Program::kill() {
    if (id_ > 0) {
        ::kill(id_, SIGKILL);
        waitpid(id_, nullptr, 0);
        id_ = -1;
    }
    if (output_ >= 0) close(output_);
    output_ = -1;
}
