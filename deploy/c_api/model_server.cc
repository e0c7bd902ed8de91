// A small model server on TensorFlow's C API: no Python, no TensorFlow Serving.
//
//   model_server FOLDER_OF_VERSIONS [PORT]
//
// It loads the newest version, watches the folder, and goes over to a newer version when one
// appears; one that does not load is reported, and the old one stays in service. Requests:
//
//   POST /embed with fold records (a .record file as it is) -> JSON: the outputs, by name
//   GET  /      -> JSON: the version in service
//
// It listens on 127.0.0.1 only and answers one request at a time: an example, and a proof that
// the pushed SavedModel needs nothing of ours.

#include <poll.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "http.h"
#include "model.h"

namespace {

constexpr int kPollMilliseconds = 200;

// The newest version: the highest number that names a SavedModel.
std::filesystem::path Newest(const std::filesystem::path& folder) {
  std::filesystem::path newest;
  int64_t highest = -1;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(folder, ignored)) {
    const std::string name = entry.path().filename();
    const bool number =
        !name.empty() && name.size() < 19 && std::all_of(name.begin(), name.end(), ::isdigit);
    if (!number || std::stoll(name) <= highest) continue;
    if (!std::filesystem::exists(entry.path() / "saved_model.pb")) continue;
    highest = std::stoll(name);
    newest = entry.path();
  }
  return newest;
}

// Goes over to the newest version, if it is another one and it loads.
void Refresh(const std::filesystem::path& folder, std::unique_ptr<Model>& model,
             std::string& refused) {
  const std::filesystem::path newest = Newest(folder);
  if (newest.empty() || (model && newest.filename() == model->version)) return;
  try {
    model = std::make_unique<Model>(newest);
    refused.clear();
    std::printf("version %s\n", model->version.c_str());
    std::fflush(stdout);
  } catch (const std::exception& error) {
    if (refused != newest.filename())
      std::fprintf(stderr, "version %s does not load: %s\n", newest.filename().c_str(),
                   error.what());
    refused = newest.filename();
  }
}

// TFRecord frames: uint64 length, uint32 crc, data, uint32 crc. The CRCs are not looked at.
std::vector<std::string> Records(const std::string& body) {
  std::vector<std::string> records;
  for (size_t at = 0; at < body.size();) {
    uint64_t length = 0;
    if (body.size() - at < 16) throw std::runtime_error("the body ends within a record");
    std::memcpy(&length, body.data() + at, sizeof length);
    if (length > body.size() - at - 16) throw std::runtime_error("the body ends within a record");
    records.push_back(body.substr(at + 12, length));
    at += 16 + length;
  }
  if (records.empty()) throw std::runtime_error("the body holds no record");
  return records;
}

std::string Quoted(const std::string& text) {
  std::string quoted;
  for (const char c : text) quoted += (c == '"' || c == '\\' || c < ' ') ? '\'' : c;
  return quoted;
}

void Answer(int connection, const Model& model) {
  std::string code = "200 OK", text;
  try {
    const auto [line, body] = ReadRequest(connection);
    if (line.rfind("POST /embed ", 0) == 0) {
      text = model.Embed(Records(body));
    } else if (line.rfind("GET / ", 0) == 0) {
      text = "{\"version\":\"" + model.version + "\"}";
    } else {
      code = "404 Not Found";
      text = "{\"error\":\"ask POST /embed or GET /\"}";
    }
  } catch (const std::exception& error) {
    code = "400 Bad Request";
    text = "{\"error\":\"" + Quoted(error.what()) + "\"}";
  }
  SendAnswer(connection, code, text);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: %s FOLDER_OF_VERSIONS [PORT]\n", argv[0]);
    return 2;
  }
  const std::filesystem::path folder = argv[1];
  std::unique_ptr<Model> model;
  std::string refused;
  Refresh(folder, model, refused);
  if (!model) {
    std::fprintf(stderr, "error: no version of a SavedModel loads from %s\n", argv[1]);
    return 8;
  }

  int port = argc > 2 ? std::atoi(argv[2]) : 8502;
  const int listener = Listen(port);
  if (listener < 0) {
    std::perror("error: cannot listen");
    return 1;
  }
  std::printf("port %d\n", port);
  std::fflush(stdout);

  for (pollfd waiting{listener, POLLIN, 0};;) {
    const bool asked = poll(&waiting, 1, kPollMilliseconds) > 0;
    Refresh(folder, model, refused);
    if (!asked) continue;
    const int connection = accept(listener, nullptr, nullptr);
    if (connection >= 0) Answer(connection, *model);
  }
}
