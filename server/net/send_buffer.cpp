#include "server/net/send_buffer.hpp"

#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "server/net/gate/websocket_frames.hpp"
#include "shared/base/give_back.hpp"

namespace oncewire::net {
namespace {

/// 1 MiB: a batch beyond this is not kept for the next one to write into.
constexpr std::size_t keep_bytes = 1u << 20;

iovec as_iovec(std::string_view bytes) { return {const_cast<char*>(bytes.data()), bytes.size()}; }

/// As sendmsg(2), without waiting.
ssize_t send_parts(int socket, const std::array<std::string_view, 3>& parts) {
    constexpr int flags = MSG_DONTWAIT | MSG_NOSIGNAL;
    // The usual case by far; a broadcast is made of little else.
    if (parts[0].empty() && parts[1].empty()) {
        return ::send(socket, parts[2].data(), parts[2].size(), flags);
    }
    iovec list[] = {as_iovec(parts[0]), as_iovec(parts[1]), as_iovec(parts[2])};
    msghdr message{};
    message.msg_iov = list;
    message.msg_iovlen = std::size(list);
    return sendmsg(socket, &message, flags);
}

}  // namespace

std::string_view FramedBatch::frame(std::vector<SharedFrame> frames) {
    if (frames != frames_) {
        shared_.reset();
        bytes_.clear();
        for (const SharedFrame& frame : frames) append(*frame);
        frames_ = std::move(frames);
    }
    return bytes_;
}

void FramedBatch::append(FrameView message) {
    if (!deflate_from_ || message.bytes.size() < *deflate_from_) {
        return append_message(bytes_, message);
    }
    if (!deflater_) deflater_ = std::make_unique<MessageDeflater>();
    append_compressed_message(bytes_, {message.type, deflater_->deflate(message.bytes)});
}

std::shared_ptr<const std::string> FramedBatch::share() {
    if (!shared_) shared_ = std::make_shared<const std::string>(bytes_);
    return shared_;
}

void FramedBatch::forget() {
    frames_.clear();
    bytes_.clear();
    shared_.reset();
    if (bytes_.capacity() > keep_bytes) give_back(bytes_);
}

void SendBuffer::append(std::string_view bytes) {
    own_ += bytes;
    pong_at_.reset();
}

void SendBuffer::append_pong(std::string_view payload) {
    if (pong_at_) own_.resize(*pong_at_);
    pong_at_ = static_cast<std::uint32_t>(own_.size());
    net::append_pong(own_, payload);
}

SendBuffer::Outcome SendBuffer::send(int socket, std::string_view more, FramedBatch& batch) {
    return send(socket, more, &batch);
}

SendBuffer::Outcome SendBuffer::flush(int socket) { return send(socket, {}, nullptr); }

SendBuffer::Outcome SendBuffer::send(int socket, std::string_view more, FramedBatch* batch) {
    const std::string_view rest =
        batch_ ? std::string_view(*batch_).substr(batch_sent_) : std::string_view();
    if (rest.size() + own_.size() + more.size() == 0) return Outcome::sent;
    const ssize_t sent = send_parts(socket, {rest, own_, more});
    if (sent < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR) {
        return Outcome::failed;
    }
    return keep(sent < 0 ? 0 : static_cast<std::size_t>(sent), more, batch);
}

SendBuffer::Outcome SendBuffer::keep(std::size_t sent, std::string_view more, FramedBatch* batch) {
    if (batch_) {
        const std::size_t taken = std::min(sent, batch_->size() - batch_sent_);
        batch_sent_ += taken;
        sent -= taken;
        if (batch_sent_ == batch_->size()) batch_.reset();
    }
    if (const std::size_t taken = std::min(sent, own_.size())) {
        own_.erase(0, taken);
        if (own_.empty()) give_back(own_);
        pong_at_.reset();
        sent -= taken;
    }
    if (sent < more.size()) {
        if (empty()) {
            batch_ = batch->share();
            batch_sent_ = sent;
        } else {
            append(more.substr(sent));
        }
    }
    return empty() ? Outcome::sent : Outcome::waiting;
}

}  // namespace oncewire::net
