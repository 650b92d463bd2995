// SPDX-License-Identifier: Apache-2.0
#include "pickle/parts.h"

#include <cassert>

namespace ptsd::pickle {

std::size_t part_count(const Graph& graph, NodeId id) {
  switch (graph.kind(id)) {
    case Kind::None:
    case Kind::False:
    case Kind::True:
    case Kind::Int:
    case Kind::LongBytes:
    case Kind::LongDigits:
    case Kind::Float:
    case Kind::Str:
    case Kind::ByteStr:
    case Kind::Bytes:
    case Kind::ByteArray:
    case Kind::List:
    case Kind::Dict:
    case Kind::Set:
    case Kind::Ext: return 0;
    case Kind::Tuple:
    case Kind::FrozenSet: return graph.items(id).size();
    case Kind::Global: return graph.global_strings(id) ? 2 : 0;
    case Kind::PersId: return 1;
    case Kind::Reduce:
    case Kind::NewObj: return 2;
    case Kind::NewObjEx: return 3;
    case Kind::Obj: return 1 + graph.items(graph.args(id)).size();
  }
  return 0;
}

NodeId part(const Graph& graph, NodeId id, std::size_t at) {
  assert(at < part_count(graph, id));
  switch (graph.kind(id)) {
    case Kind::Global:
      return at == 0 ? graph.global_strings(id)->module : graph.global_strings(id)->name;
    case Kind::PersId: return graph.persistent_id(id);
    case Kind::Reduce:
    case Kind::NewObj: return at == 0 ? graph.callable(id) : graph.args(id);
    case Kind::NewObjEx:
      return at == 0 ? graph.callable(id) : at == 1 ? graph.args(id) : graph.kwargs(id);
    case Kind::Obj: return at == 0 ? graph.callable(id) : graph.items(graph.args(id))[at - 1];
    default: return graph.items(id)[at];
  }
}

}  // namespace ptsd::pickle
