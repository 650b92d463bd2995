// SPDX-License-Identifier: Apache-2.0
#include "report/stat.h"
#include "report/value_json.h"

namespace ptsd::report {

using checkpoint::Tensor;
using operation::TensorStat;
using tensor::DType;
using tensor::Summary;

namespace {

// Integers keep all their digits.
Json extreme(long double value, DType dtype) {
  if (tensor::is_floating(dtype) || tensor::is_complex(dtype)) {
    return number(static_cast<double>(value));
  }
  if (value < 0) return static_cast<std::int64_t>(value);
  return static_cast<std::uint64_t>(value);
}

Json histogram(const TensorStat& stat) {
  if (stat.histogram.empty()) return nullptr;
  return {
      {"edges",  stat.edges    },
      {"counts", stat.histogram},
  };
}

Json tensor_json(const checkpoint::Tensors& tensors, const checkpoint::Entry& entry,
                 const TensorStat& stat) {
  const Tensor& tensor = tensors[*entry.tensor];
  Json json;
  set_text(json, "path", entry.path);
  json["dtype"] = tensor::name(tensor.dtype);
  json["shape"] = tensors.shape(tensor);
  json["numel"] = tensors.element_count(tensor);
  const Summary summary = stat.summary.value_or(Summary());
  const bool known = summary.finite > 0;
  json["min"] = known ? extreme(summary.min, tensor.dtype) : Json();
  json["max"] = known ? extreme(summary.max, tensor.dtype) : Json();
  json["mean"] = known ? number(summary.mean()) : Json();
  json["std"] = summary.finite > 1 ? number(summary.standard_deviation()) : Json();
  json["zeros"] = stat.summary ? Json(summary.zeros) : Json();
  json["nan"] = stat.summary ? Json(summary.nan) : Json();
  json["inf"] = stat.summary ? Json(summary.inf) : Json();
  json["histogram"] = histogram(stat);
  return json;
}

}  // namespace

void write_stat_json(Output& output, const StatReport& report) {
  output.write("{\"schema\":\"ptsd.stat/1\",\"tensors\":[");
  for (std::size_t i = 0; i < report.entries.size(); ++i) {
    if (i > 0) output.write(",");
    output.write(
        dump(tensor_json(report.checkpoint.tensors(), report.entries[i], report.stats[i])));
  }
  const StatTotals totals = total(report);
  const Json summary = {
      {"tensors",          report.entries.size()  },
      {"numel",            totals.elements        },
      {"zeros",            totals.zeros           },
      {"nan",              totals.nan             },
      {"inf",              totals.inf             },
      {"tensors_with_nan", totals.tensors_with_nan},
      {"tensors_with_inf", totals.tensors_with_inf},
  };
  output.write("],\"summary\":" + dump(summary));
  output.write(",\"warnings\":" + dump(to_json(report.warnings)) + "}\n");
}

}  // namespace ptsd::report
