// SvgPlot: curves over one pair of axes, as a picture that needs nothing to be looked at with but a browser.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace wajah::cli {

enum class Scale { linear, logarithmic };

struct Axis {
  std::string title;
  double least = 0, most = 1;
  Scale scale = Scale::linear;
};

struct PlotPoint {
  double x = 0, y = 0;
};

class SvgPlot {
 public:
  // Logarithmic axes need least > 0; throws Error (usage) otherwise, or if least is not below most.
  SvgPlot(std::string title, Axis x, Axis y);

  // Points outside the axes are drawn at their edge.
  void add_curve(const std::string& name, std::vector<PlotPoint> points);
  void add_mark(const std::string& name, PlotPoint at);

  [[nodiscard]] std::string text() const;
  void write(const std::filesystem::path& file) const;  // throws Error (storage)

 private:
  struct Series {
    std::string name;
    std::vector<PlotPoint> points;
    bool mark = false;
  };

  [[nodiscard]] double column(double x) const;
  [[nodiscard]] double row(double y) const;
  [[nodiscard]] std::string grid() const;
  [[nodiscard]] std::string series() const;
  [[nodiscard]] std::string legend() const;

  std::string title_;
  Axis x_, y_;
  std::vector<Series> series_;
};

}  // namespace wajah::cli
