#include "cli/svg_plot.hpp"

#include <wajah/error.hpp>
#include <wajah/file.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <span>
#include <string_view>
#include <utility>

namespace wajah::cli {
namespace {

constexpr double width = 720, height = 480, left = 80, right = 20, top = 44, bottom = 60;
constexpr std::array<std::string_view, 5> colours{"#0b62a4", "#c0392b", "#1e8449", "#8e44ad", "#b9770e"};

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '&')
      out += "&amp;";
    else if (c == '<')
      out += "&lt;";
    else if (c == '>')
      out += "&gt;";
    else
      out += c;
  }
  return out;
}

void check(const Axis& axis) {
  const bool ordered = std::isfinite(axis.least) && std::isfinite(axis.most) && axis.least < axis.most;
  if (!ordered || (axis.scale == Scale::logarithmic && axis.least <= 0)) {
    fail(ErrorKind::usage, "axis '{}' from {} to {}: expected a range that rises, above 0 on a logarithmic scale",
         axis.title, axis.least, axis.most);
  }
}

// Where a value lies between the ends of its axis, 0 to 1.
double place(const Axis& axis, double value) {
  const double inside = std::clamp(value, axis.least, axis.most);
  if (axis.scale == Scale::linear) return (inside - axis.least) / (axis.most - axis.least);
  return std::log(inside / axis.least) / std::log(axis.most / axis.least);
}

// Powers of ten, or about five round numbers.
std::vector<double> ticks(const Axis& axis) {
  std::vector<double> values;
  if (axis.scale == Scale::logarithmic) {
    for (double power = std::ceil(std::log10(axis.least) - 1e-9); std::pow(10, power) <= axis.most * (1 + 1e-9);
         ++power) {
      values.push_back(std::pow(10, power));
    }
    return values;
  }
  const double rough = (axis.most - axis.least) / 5, power = std::pow(10, std::floor(std::log10(rough)));
  const double step = power * (rough / power < 1.5 ? 1 : rough / power < 3.5 ? 2 : rough / power < 7.5 ? 5 : 10);
  // Adding 0 makes 0 of the -0 that an axis from 0 begins with.
  for (double k = std::ceil(axis.least / step - 1e-9) + 0.0; k * step <= axis.most + 1e-9 * step; ++k) {
    values.push_back(k * step);
  }
  return values;
}

std::string percent(double share) { return fmt::format("{:.6g} %", share * 100); }

std::string label(double x, double y, std::string_view anchor, std::string_view text, std::string_view more = "") {
  return fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"{}\"{}>{}</text>\n", x, y, anchor, more,
                     escaped(text));
}

std::string line(double x1, double y1, double x2, double y2, std::string_view colour) {
  return fmt::format("<line x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\" stroke=\"{}\"/>\n", x1, y1, x2, y2,
                     colour);
}

}  // namespace

SvgPlot::SvgPlot(std::string title, Axis x, Axis y) : title_(std::move(title)), x_(std::move(x)), y_(std::move(y)) {
  check(x_);
  check(y_);
}

void SvgPlot::add_curve(const std::string& name, std::vector<PlotPoint> points) {
  series_.push_back({name, std::move(points), false});
}

void SvgPlot::add_mark(const std::string& name, PlotPoint at) { series_.push_back({name, {at}, true}); }

double SvgPlot::column(double x) const { return left + place(x_, x) * (width - left - right); }
double SvgPlot::row(double y) const { return height - bottom - place(y_, y) * (height - top - bottom); }

std::string SvgPlot::grid() const {
  std::string out;
  for (const double x : ticks(x_)) {
    out += line(column(x), top, column(x), height - bottom, "#ddd");
    out += label(column(x), height - bottom + 18, "middle", percent(x));
  }
  for (const double y : ticks(y_)) {
    out += line(left, row(y), width - right, row(y), "#ddd");
    out += label(left - 8, row(y) + 4, "end", percent(y));
  }
  out += line(left, height - bottom, width - right, height - bottom, "#333");
  out += line(left, top, left, height - bottom, "#333");
  out += label((left + width - right) / 2, height - 16, "middle", x_.title);
  const double middle = (top + height - bottom) / 2;
  return out + label(18, middle, "middle", y_.title, fmt::format(" transform=\"rotate(-90 18 {:.1f})\"", middle));
}

std::string SvgPlot::series() const {
  std::string out;
  for (std::size_t i = 0; i < series_.size(); ++i) {
    const std::string_view colour = colours[i % colours.size()];
    std::string points;
    for (const PlotPoint& p : series_[i].points) points += fmt::format("{:.1f},{:.1f} ", column(p.x), row(p.y));
    if (series_[i].mark) {
      out += fmt::format("<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"5\" fill=\"{}\"/>\n", column(series_[i].points[0].x),
                         row(series_[i].points[0].y), colour);
    } else {
      out += fmt::format("<polyline fill=\"none\" stroke=\"{}\" stroke-width=\"2\" points=\"{}\"/>\n", colour, points);
    }
  }
  return out;
}

std::string SvgPlot::legend() const {
  std::string out;
  for (std::size_t i = 0; i < series_.size(); ++i) {
    const double y = top + 18 + 18 * static_cast<double>(i);
    out += fmt::format("<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"10\" height=\"10\" fill=\"{}\"/>\n", width - right - 24,
                       y - 9, colours[i % colours.size()]);
    out += label(width - right - 30, y, "end", series_[i].name);
  }
  return out;
}

std::string SvgPlot::text() const {
  return fmt::format(
             "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {0} {1}\" width=\"{0}\" height=\"{1}\" "
             "font-family=\"sans-serif\" font-size=\"12\">\n<rect width=\"{0}\" height=\"{1}\" fill=\"white\"/>\n",
             width, height) +
         label(width / 2, 24, "middle", title_, " font-size=\"16\"") + grid() + series() + legend() + "</svg>\n";
}

void SvgPlot::write(const std::filesystem::path& file) const {
  const std::string picture = text();
  const std::array parts{std::as_bytes(std::span(picture))};
  write_file(file, parts);
}

}  // namespace wajah::cli
