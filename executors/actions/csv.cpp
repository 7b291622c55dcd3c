#include "executors/actions/csv.h"

#include <algorithm>

#include "executors/actions/text.h"

namespace drydock::actions {
namespace {

class CsvReader {
 public:
  CsvReader(std::string_view text, CsvOptions options) : text_(text), options_(options) {}

  Result<std::vector<CsvRecord>> read() {
    while (at_ < text_.size()) {
      if (quoting_) {
        DRYDOCK_TRY(quoted());
      } else {
        DRYDOCK_TRY(plain());
      }
    }
    if (quoting_) return make_error(ErrorCode::usage, "a quote is opened and never closed in \"" + std::string(text_) + "\"");
    if (was_quoted_ || !record_.empty() || !field_.empty()) end_record();
    return std::move(records_);
  }

 private:
  Status quoted() {
    const char c = text_[at_];
    if (c != '"') {
      field_ += c;
      ++at_;
      return {};
    }
    const char next = at_ + 1 < text_.size() ? text_[at_ + 1] : '\0';
    if (next == '"') {
      field_ += '"';
      at_ += 2;
      return {};
    }
    const bool comment = next == '#' && options_.comments != Comments::none;
    quoting_ = false;
    was_quoted_ = true;
    if (at_ + 1 == text_.size() || next == ',' || next == '\n' || next == '\r' || comment) {
      ++at_;
      return {};
    }
    if (options_.quotes == Quotes::strict) return misplaced();
    // The quotes turn out to be text.
    field_ = '"' + field_ + '"';
    ++at_;
    return {};
  }

  Status plain() {
    const char c = text_[at_];
    if (c == '"' && !commenting_ && options_.quotes != Quotes::none) {
      if (field_.empty() && !was_quoted_) {
        quoting_ = true;
        ++at_;
        return {};
      }
      if (options_.quotes == Quotes::strict) return misplaced();
    }
    if (c == '\n' || c == '\r') {
      at_ += c == '\r' && at_ + 1 < text_.size() && text_[at_ + 1] == '\n' ? 2 : 1;
      if (was_quoted_ || !record_.empty() || !field_.empty()) end_record();
      commenting_ = false;
      return {};
    }
    ++at_;
    if (commenting_) return {};
    const bool may_comment = options_.comments == Comments::anywhere ||
                             (options_.comments == Comments::line_start && record_.empty() && field_.empty());
    if (c == '#' && may_comment) {
      commenting_ = true;
    } else if (c == ',') {
      end_field();
    } else {
      field_ += c;
    }
    return {};
  }

  void end_field() {
    record_.push_back(std::move(field_));
    field_.clear();
    was_quoted_ = false;
  }

  void end_record() {
    end_field();
    records_.push_back(std::move(record_));
    record_.clear();
  }

  Error misplaced() const {
    return make_error(ErrorCode::usage, "a quote stands inside a field in \"" + std::string(text_) + "\"",
                      "quote the whole field, and double the quotes inside it");
  }

  std::string_view text_;
  CsvOptions options_;
  std::size_t at_ = 0;
  bool quoting_ = false, was_quoted_ = false, commenting_ = false;
  std::string field_;
  CsvRecord record_;
  std::vector<CsvRecord> records_;
};

}  // namespace

Result<std::vector<CsvRecord>> parse_csv(std::string_view text, CsvOptions options) {
  return CsvReader(text, options).read();
}

Result<CsvRecord> first_record(std::string_view text) {
  DRYDOCK_ASSIGN(auto records, parse_csv(text));
  if (records.empty()) return make_error(ErrorCode::usage, "an entry is empty");
  return std::move(records.front());
}

Result<std::vector<std::string>> parse_list(std::string_view text, ListOptions options) {
  const auto source = options.blanks == Blanks::trim ? trimmed(text) : std::string(text);
  DRYDOCK_ASSIGN(auto records, parse_csv(source, {options.quotes, options.comments}));
  std::vector<std::string> items;
  for (auto& record : records) {
    if (options.commas == Commas::keep) {
      items.push_back(join(record, ","));
    } else if (record.size() == 1) {
      for (auto& part : split(record.front(), ',')) items.push_back(std::move(part));
    } else {
      for (auto& field : record) items.push_back(std::move(field));
    }
  }
  std::erase(items, std::string());
  if (options.blanks == Blanks::trim) {
    for (auto& item : items) item = trimmed(item);
  }
  return items;
}

}  // namespace drydock::actions
