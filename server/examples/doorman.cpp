// Who may come in at all: asked before there is a connection, answered now or later. And how many, and
// how long a request may take.
#include "server/api/server.hpp"

using namespace oncewire::api;
using namespace std::chrono_literals;

int main(int argc, char** argv) {
    Server::Options options;
    options.max_connections = 20;
    options.header_timeout = 3s;
    options.body_timeout = 3s;
    options.admission_timeout = 3s;
    Server server(std::move(options), [](Application& io) {
        io.allow_request([&io](const oncewire::hub::Request& request, Decision decide) {
            const std::string password = query_value(request.url, "password");
            if (password == "wrong") return decide(refuse("wrong password"));
            if (password == "forget") return;  // refused when admission_timeout is over
            io.after(10ms, [decide, password] {
                decide();
                if (password == "twice") decide(refuse("only the first word counts"));
            });
        });
    });
    return server.run(argc, argv);
}
