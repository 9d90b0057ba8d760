package dev.duoka.hardware;

import dev.duoka.formats.json.JsonFields;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;

/** The generation of a device that is no card of the catalogue, by its product line's name. */
final class ProductLines {
  private static final int LANES = 16;

  private record Line(Pattern match, DeviceTraits traits) {}

  private static final List<Line> LINES =
      HardwareFile.content().objects("product_lines").stream().map(ProductLines::line).toList();

  private ProductLines() {}

  static Optional<DeviceTraits> find(String deviceName) {
    return LINES.stream()
        .filter(line -> line.match().matcher(deviceName).find())
        .findFirst()
        .map(Line::traits);
  }

  private static Line line(JsonFields entry) {
    return new Line(
        Pattern.compile(entry.text("match").orElseThrow()),
        new DeviceTraits(
            entry.text("compute_capability").orElseThrow(),
            entry.integer("pcie"),
            LANES,
            entry.flag("p2p_over_pcie", true)));
  }
}
