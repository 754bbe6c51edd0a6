#include "server/operator/metrics.hpp"

#include <cstdint>
#include <initializer_list>
#include <string_view>

namespace oncewire::ops {
namespace {

/// `name`: ends in _total if it only ever grows; may carry {labels}.
struct Metric {
    std::string name;
    std::string_view help;
    std::uint64_t value;
};

std::string to_text(std::initializer_list<Metric> metrics) {
    std::string text;
    for (const Metric& metric : metrics) {
        const std::string full = "oncewire_" + metric.name;
        const std::string bare = full.substr(0, full.find('{'));
        text += "# HELP " + bare + ' ';
        text += metric.help;
        text += "\n# TYPE " + bare + (bare.ends_with("_total") ? " counter\n" : " gauge\n");
        text += full + ' ' + std::to_string(metric.value) + '\n';
    }
    return text;
}

}  // namespace

std::string metrics_of(const hub::HubCounts& counts) {
    return to_text({
        {"connections", "Open connections.", counts.connections_open},
        {"sockets", "Open namespace sessions.", counts.sockets_open},
        {"connections_total", "Connections accepted.", counts.connections_opened},
        {"frames_in_total", "Frames received.", counts.frames_in},
        {"frames_out_total", "Frames sent, one for each receiver.", counts.frames_out},
        {"ephemeral_dropped_total", "Ephemeral frames not sent to slow readers.",
         counts.ephemeral_dropped},
        {"slow_readers_closed_total", "Readers closed for not reading.",
         counts.slow_readers_closed},
        {"sessions_recovered_total", "Socket.IO clients that came back to the session they had.",
         counts.sessions_resumed},
        {"violations_total", "Connections closed for breaking the protocol.", counts.violations},
        {"holes_noticed_total", "Holes in the log that clients report; none is expected.",
         counts.noticed.holes},
        {"repeats_noticed_total", "Entries that clients report to have come twice; likewise.",
         counts.noticed.repeated},
        {"late_noticed_total", "Entries that clients report to have come too late; likewise.",
         counts.noticed.late},
    });
}

std::string metrics_of(const net::RefusalCounts& counts) {
    return to_text({
        {"hosts_refused_total", "Requests that asked for a name which is not the server's.",
         counts.hosts},
        {"origins_refused_total", "Requests by pages of sites that may not connect.",
         counts.origins},
    });
}

std::string metrics_of(const sequencer::Sequencer& sequencer, const sequencer::ReaderCounts& apart,
                       const store::Store& store) {
    const sequencer::SequencerCounts& counts = sequencer.counts();
    const auto read = [&](auto count) -> std::uint64_t {
        return sequencer.reader_counts().*count + apart.*count;
    };
    using Read = sequencer::ReaderCounts;
    const std::string level = store::durability_text(store.durability());
    return to_text({
        {"log_offset", "Offset of the newest stored message.", store.head().offset},
        {"durability{level=\"" + level + "\"}", "What a stored message survives.", 1},
        {"accepts_messages", "1 while messages can be stored.", sequencer.accepts_writes()},
        {"submitted_total", "Messages that came to be stored.", counts.submitted},
        {"stored_total", "Messages stored.", counts.stored},
        {"repeated_total", "Resent copies answered from the stored verdict.", counts.repeated},
        {"rejected_total", "Messages rejected for good.", counts.rejected},
        {"fenced_total", "Links closed because another took the sender over.", counts.fenced},
        {"commits_total", "Transactions committed.", counts.commits},
        {"handler_failures_total", "Durable handlers that failed.", counts.handler_failures},
        {"tasks_done_total", "Deferred tasks done.", counts.tasks_done},
        {"task_failures_total", "Attempts at deferred tasks that failed.", counts.task_failures},
        {"trimmed_total", "Messages removed by retention.", counts.trimmed},
        {"rewritten_total", "Entries of the log that were given other data.", counts.rewritten},
        {"erasures_total", "Times that the files were rid of what was replaced.", counts.erasures},
        {"leases_ended_total", "Senders away for so long that what they were told is forgotten.",
         counts.leases_ended},
        {"outcomes_unknown_total", "Resent copies whose verdict was forgotten.",
         counts.outcomes_unknown},
        {"messages_put_off_total", "Messages whose sender was asked to wait before storing.",
         counts.put_off},
        {"sessions_cut_off_total", "Sessions that went on storing without waiting.",
         counts.cut_off},
        {"pages_total", "Pages of the log that readers who were away got.", read(&Read::pages)},
        {"lookups_total", "Questions answered from what is stored: history, search.",
         read(&Read::looked_up)},
        {"gaps_told_total", "Pages for readers who missed what retention had removed.",
         read(&Read::gaps_told)},
        {"unreadable_total", "Entries left out of pages of history, as no client could read them.",
         read(&Read::unreadable)},
        {"conflicts_total", "Numbers that met another message: a browser profile was put back.",
         counts.conflicts},
        {"unknown_commits_total", "Commits whose outcome was unknown.", counts.unknown_commits},
    });
}

}  // namespace oncewire::ops
