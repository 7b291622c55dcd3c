#pragma once
// Value: what an expression yields. Immutable and cheap to copy (text, arrays and objects are shared).
// Coercions follow GitHub's runner. Besides GitHub's six kinds there is `unknown`, for dry runs: a value
// that only a run can tell, with the names it depends on. Thread-safe as plain immutable data is.

#include <concepts>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <variant>
#include <vector>

#include <nlohmann/json.hpp>

namespace drydock::parser::expression {

enum class Kind : std::uint8_t { null, boolean, number, string, array, object, unknown };

/// "Null", "Boolean", "Number", "String", "Array", "Object", "Unknown".
std::string_view name_of(Kind kind);

/// Whether a value counts as true. Of an unknown value it may still be decided (`steps.a.outputs.b &&
/// false`).
enum class Truth : std::uint8_t { no, yes, undecided };

class Value;
class Object;
using Items = std::vector<Value>;

/// What an unknown value depends on: sorted, without repeats.
struct Unknown {
  enum class Form : std::uint8_t { path, computed };
  std::vector<std::string> depends_on;  // "steps.meta.outputs.tags", "hashFiles('**/go.sum')"
  Truth truth = Truth::undecided;
  Form form = Form::computed;  // path: the value is the named thing itself, so .x reads "<name>.x"
};

class Value {
 public:
  Value() = default;  // null
  Value(std::nullptr_t) {}
  Value(bool boolean) : data_(boolean) {}
  Value(double number) : data_(number) {}
  template <std::integral T>
  requires(!std::same_as<T, bool>) Value(T number) : data_(static_cast<double>(number)) {}
  Value(std::string text);
  Value(std::string_view text) : Value(std::string(text)) {}
  Value(const char* text) : Value(std::string(text)) {}
  Value(Items items);
  Value(Object object);
  Value(const void*) = delete;

  /// A value only a run can tell, named by what would give it: "steps.meta.outputs".
  static Value unknown(std::string depends_on);
  /// An unknown result computed from others: depends on what they depend on (known ones add nothing).
  static Value unknown_from(const std::vector<Value>& sources, Truth truth = Truth::undecided);
  /// The result of a `*` filter: an array whose further indexing maps over its items.
  static Value filtered(Items items);
  /// Integers beyond 2^53 lose precision, as they do on GitHub. Objects keep their order; of names that
  /// differ in case alone the first stays.
  static Value from_json(const nlohmann::json& json);
  static Value from_json(const nlohmann::ordered_json& json);

  Kind kind() const { return static_cast<Kind>(data_.index()); }
  bool is_null() const { return kind() == Kind::null; }
  bool is_string() const { return kind() == Kind::string; }
  bool is_unknown() const { return kind() == Kind::unknown; }
  /// Null, boolean, number or string.
  bool is_primitive() const { return kind() <= Kind::string; }
  bool is_filtered() const;
  /// True when unknown, or when an item or member at any depth is.
  bool has_unknown() const;
  /// Adds the names that unknown values at any depth depend on.
  void collect_unknown(std::vector<std::string>& names) const;

  // The content; only to be called for the right kind.
  bool boolean() const { return std::get<bool>(data_); }
  double number() const { return std::get<double>(data_); }
  const std::string& string() const { return *std::get<Text>(data_); }
  const Items& items() const;
  const Object& object() const;
  const Unknown& unknown() const { return *std::get<UnknownPointer>(data_); }

  /// "" for null, "true", a formatted number, the text itself, "Array", "Object"; for unknown a marker such
  /// as
  /// "<unknown: steps.meta.outputs.tags>", for people only.
  std::string to_string() const;
  /// NaN for arrays, objects, unknown, and text that is no number.
  double to_number() const;
  Truth truth() const;
  /// truth() == yes.
  bool truthy() const { return truth() == Truth::yes; }

  /// NaN and infinities become null, -0 becomes 0, whole numbers print without a fraction; unknown becomes
  /// {"$unknown": [names]}.
  nlohmann::ordered_json to_json() const;
  /// Pretty-printed as toJSON() does: two spaces, "[]" and "{}" for empty ones.
  std::string to_json_text() const;

  /// Member by name (any case), or item by number; null when there is none. Not for filters.
  Value member(std::string_view name) const;
  Value item(double index) const;

  /// The same shared array or object.
  bool same_as(const Value& other) const;

 private:
  struct Array;
  using Text = std::shared_ptr<const std::string>;
  using ArrayPointer = std::shared_ptr<const Array>;
  using ObjectPointer = std::shared_ptr<const Object>;
  using UnknownPointer = std::shared_ptr<const Unknown>;
  std::variant<std::monostate, bool, double, Text, ArrayPointer, ObjectPointer, UnknownPointer> data_;
};

/// Members in insertion order; names are looked up without regard to case.
class Object {
 public:
  struct Member {
    std::string name;
    Value value;
  };

  Object() = default;
  Object(std::initializer_list<Member> members);

  /// Sets, in place when a member of that name (any case) exists.
  void set(std::string name, Value value);
  /// Adds unless a member of that name (any case) exists.
  void add(std::string name, Value value);
  const Value* find(std::string_view name) const;
  std::size_t size() const { return members_.size(); }
  bool empty() const { return members_.empty(); }
  auto begin() const { return members_.begin(); }
  auto end() const { return members_.end(); }

 private:
  std::size_t position_of(std::string_view name) const;
  void append(std::string name, Value value);

  std::vector<Member> members_;
  std::unordered_map<std::string, std::uint32_t> positions_;  // by folded name; only for large objects
};

/// As GitHub prints numbers: up to 15 digits, "NaN", "Infinity", "-Infinity", "0" for -0.
std::string format_number(double number);
/// As GitHub reads them: blank is 0; decimal with exponent, 0x…, 0o…, "Infinity"; NaN for anything else.
double parse_number(std::string_view text);

/// GitHub's loose comparisons; for unknown operands the caller decides first (they are unequal and
/// unordered).
bool equal(const Value& left, const Value& right);
bool less(const Value& left, const Value& right);

/// Case folding of GitHub's comparisons (upper case, simple mappings; the dotless i stays).
std::string fold_case(std::string_view text);
/// Ordinal order of the folded texts, by UTF-16 units: negative, 0 or positive.
int compare_ignoring_case(std::string_view left, std::string_view right);
bool equal_ignoring_case(std::string_view left, std::string_view right);

}  // namespace drydock::parser::expression
