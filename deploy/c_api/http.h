// As much of HTTP as the model server needs: one request to a connection.

#ifndef DEPLOY_C_API_HTTP_H_
#define DEPLOY_C_API_HTTP_H_

#include <arpa/inet.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <utility>

constexpr size_t kLargestHead = size_t{1} << 16;
constexpr size_t kLargestBody = size_t{1} << 30;
constexpr timeval kLongestSilence{10, 0};  // a caller that says nothing must not block the others

// A socket that listens on 127.0.0.1, or -1. Port 0 chooses one; `port` tells which.
inline int Listen(int& port) {
  const int listener = socket(AF_INET, SOCK_STREAM, 0);
  const int yes = 1;
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  sockaddr_in address{};
  socklen_t size = sizeof address;
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<uint16_t>(port));
  auto* general = reinterpret_cast<sockaddr*>(&address);
  if (bind(listener, general, size) != 0 || listen(listener, 64) != 0) return -1;
  getsockname(listener, general, &size);
  port = ntohs(address.sin_port);
  return listener;
}

// Reads one request: its first line, and its body.
inline std::pair<std::string, std::string> ReadRequest(int connection) {
  setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, &kLongestSilence, sizeof kLongestSilence);
  std::string text;
  size_t head = std::string::npos, length = 0;
  char buffer[65536];
  while (head == std::string::npos || text.size() < head + length) {
    const ssize_t got = recv(connection, buffer, sizeof buffer, 0);
    if (got <= 0) throw std::runtime_error("the request is cut off");
    text.append(buffer, got);
    if (head != std::string::npos) continue;
    const size_t blank = text.find("\r\n\r\n");
    if (blank == std::string::npos && text.size() > kLargestHead)
      throw std::runtime_error("the head is larger than 64 KiB");
    if (blank == std::string::npos) continue;
    head = blank + 4;
    std::string fields = text.substr(0, head);
    std::transform(fields.begin(), fields.end(), fields.begin(), ::tolower);
    const size_t field = fields.find("\r\ncontent-length:");
    if (field != std::string::npos)
      length = std::strtoull(fields.c_str() + field + 17, nullptr, 10);
    if (length > kLargestBody) throw std::runtime_error("the body is larger than 1 GiB");
    if (fields.find("\r\nexpect: 100-continue") != std::string::npos)
      send(connection, "HTTP/1.1 100 Continue\r\n\r\n", 25, MSG_NOSIGNAL);
  }
  return {text.substr(0, text.find("\r\n")), text.substr(head, length)};
}

// Sends a JSON answer and ends the connection.
inline void SendAnswer(int connection, const std::string& code, const std::string& json) {
  const std::string text =
      "HTTP/1.1 " + code + "\r\nContent-Type: application/json\r\nConnection: close\r\n" +
      "Content-Length: " + std::to_string(json.size() + 1) + "\r\n\r\n" + json + "\n";
  for (size_t sent = 0; sent < text.size();) {
    const ssize_t more = send(connection, text.data() + sent, text.size() - sent, MSG_NOSIGNAL);
    if (more <= 0) break;
    sent += more;
  }
  close(connection);
}

#endif  // DEPLOY_C_API_HTTP_H_
