// toJSON(): pretty-printing as GitHub does it.

#include <cstdio>

#include "parser/expression/value.h"

namespace drydock::parser::expression {

namespace {

void write_string(std::string& out, std::string_view text) {
  out += '"';
  for (const char c : text) {
    switch (c) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\b':
        out += "\\b";
        break;
      case '\f':
        out += "\\f";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
      default:
        if (static_cast<unsigned char>(c) < 0x20) {
          char escape[8];
          std::snprintf(escape, sizeof escape, "\\u%04x", c);
          out += escape;
        } else {
          out += c;
        }
    }
  }
  out += '"';
}

void start_line(std::string& out, std::size_t level) {
  out += '\n';
  out.append(level * 2, ' ');
}

void write_value(std::string& out, const Value& value, std::size_t level) {
  switch (value.kind()) {
    case Kind::null:
      out += "null";
      return;
    case Kind::boolean:
      out += value.boolean() ? "true" : "false";
      return;
    case Kind::number:
      out += format_number(value.number());
      return;
    case Kind::string:
      write_string(out, value.string());
      return;
    case Kind::unknown:
      write_string(out, value.to_string());
      return;
    case Kind::array: {
      out += '[';
      std::size_t written = 0;
      for (const auto& item : value.items()) {
        if (written++) out += ',';
        start_line(out, level + 1);
        write_value(out, item, level + 1);
      }
      if (written) start_line(out, level);
      out += ']';
      return;
    }
    case Kind::object: {
      out += '{';
      std::size_t written = 0;
      for (const auto& member : value.object()) {
        if (written++) out += ',';
        start_line(out, level + 1);
        write_string(out, member.name);
        out += ": ";
        write_value(out, member.value, level + 1);
      }
      if (written) start_line(out, level);
      out += '}';
      return;
    }
  }
}

}  // namespace

std::string Value::to_json_text() const {
  std::string out;
  write_value(out, *this, 0);
  return out;
}

}  // namespace drydock::parser::expression
