// A SavedModel, loaded and asked through TensorFlow's C API.

#ifndef DEPLOY_C_API_MODEL_H_
#define DEPLOY_C_API_MODEL_H_

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "tensorflow/c/c_api.h"
#include "tensorflow/c/tf_tstring.h"
#include "tensorflow/core/protobuf/meta_graph.pb.h"

inline void Check(const TF_Status* status) {
  if (TF_GetCode(status) != TF_OK) throw std::runtime_error(TF_Message(status));
}

using Status = std::unique_ptr<TF_Status, decltype(&TF_DeleteStatus)>;
using Tensor = std::unique_ptr<TF_Tensor, decltype(&TF_DeleteTensor)>;

inline Status NewStatus() { return Status(TF_NewStatus(), TF_DeleteStatus); }

// string [count]: TF_TString structures in one block. They are views of `values`, which must live
// as long: nothing is copied, and nothing but the block is to be freed.
inline Tensor StringTensor(const std::vector<std::string>& values) {
  const int64_t count = values.size();
  TF_Tensor* tensor = TF_AllocateTensor(TF_STRING, &count, 1, count * sizeof(TF_TString));
  auto* strings = static_cast<TF_TString*>(TF_TensorData(tensor));
  for (int64_t i = 0; i < count; ++i) {
    TF_StringInit(&strings[i]);
    TF_StringAssignView(&strings[i], values[i].data(), values[i].size());
  }
  return Tensor(tensor, TF_DeleteTensor);
}

inline std::string Number(const TF_Tensor* tensor, int64_t index) {
  const void* data = TF_TensorData(tensor);
  char text[32];
  switch (TF_TensorType(tensor)) {
    case TF_FLOAT:
      std::snprintf(text, sizeof text, "%.9g", static_cast<const float*>(data)[index]);
      return std::isfinite(static_cast<const float*>(data)[index]) ? text : "null";
    case TF_INT32:
      return std::to_string(static_cast<const int32_t*>(data)[index]);
    case TF_INT64:
      return std::to_string(static_cast<const int64_t*>(data)[index]);
    default:
      throw std::runtime_error("an output is neither float32 nor an integer");
  }
}

// Nested JSON lists. `index` is the next number to write.
inline std::string Json(const TF_Tensor* tensor, int axis, int64_t& index) {
  if (axis == TF_NumDims(tensor)) return Number(tensor, index++);
  std::string text = "[";
  for (int64_t i = 0; i < TF_Dim(tensor, axis); ++i) {
    if (i > 0) text += ",";
    text += Json(tensor, axis + 1, index);
  }
  return text + "]";
}

// One version of the model, loaded.
class Model {
 public:
  explicit Model(const std::filesystem::path& folder)
      : version(folder.filename()), graph_(TF_NewGraph()) {
    const char* tags[] = {"serve"};
    TF_SessionOptions* options = TF_NewSessionOptions();
    TF_Buffer* meta = TF_NewBuffer();
    Status status = NewStatus();
    session_ = TF_LoadSessionFromSavedModel(options, nullptr, folder.c_str(), tags, 1, graph_,
                                            meta, status.get());
    tensorflow::MetaGraphDef definition;
    const bool parsed = definition.ParseFromArray(meta->data, static_cast<int>(meta->length));
    TF_DeleteBuffer(meta);
    TF_DeleteSessionOptions(options);
    try {
      Check(status.get());
      const auto found = definition.signature_def().find("serving_default");
      if (!parsed || found == definition.signature_def().end())
        throw std::runtime_error("it has no signature serving_default");
      input_ = Find(found->second.inputs().at("examples").name());
      for (const auto& [name, info] : found->second.outputs())
        outputs_.emplace(name, Find(info.name()));
    } catch (...) {
      Close();
      throw;
    }
  }
  ~Model() { Close(); }
  Model(const Model&) = delete;
  Model& operator=(const Model&) = delete;

  // Serialized SequenceExamples in, a JSON object out.
  std::string Embed(const std::vector<std::string>& examples) const {
    Tensor input = StringTensor(examples);
    TF_Tensor* feed = input.get();
    std::vector<TF_Output> wanted;
    for (const auto& [name, output] : outputs_) wanted.push_back(output);
    std::vector<TF_Tensor*> fetched(wanted.size(), nullptr);
    Status status = NewStatus();
    TF_SessionRun(session_, nullptr, &input_, &feed, 1, wanted.data(), fetched.data(),
                  static_cast<int>(wanted.size()), nullptr, 0, nullptr, status.get());
    std::vector<Tensor> tensors;
    for (TF_Tensor* tensor : fetched) tensors.emplace_back(tensor, TF_DeleteTensor);
    Check(status.get());
    std::string text = "{\"version\":\"" + version + "\"";
    size_t number = 0;
    for (const auto& [name, output] : outputs_) {
      int64_t index = 0;
      text += ",\"" + name + "\":" + Json(tensors[number++].get(), 0, index);
    }
    return text + "}";
  }

  const std::string version;

 private:
  // "name:index" in a signature to an output of the graph.
  TF_Output Find(const std::string& tensor) const {
    const size_t colon = tensor.rfind(':');
    TF_Operation* operation = TF_GraphOperationByName(graph_, tensor.substr(0, colon).c_str());
    if (operation == nullptr) throw std::runtime_error("its graph has no " + tensor);
    return {operation, std::stoi(tensor.substr(colon + 1))};
  }
  void Close() {
    Status status = NewStatus();
    if (session_ != nullptr) {
      TF_CloseSession(session_, status.get());
      TF_DeleteSession(session_, status.get());
    }
    TF_DeleteGraph(graph_);
  }

  TF_Graph* graph_;
  TF_Session* session_ = nullptr;
  TF_Output input_;
  std::map<std::string, TF_Output> outputs_;
};

#endif  // DEPLOY_C_API_MODEL_H_
