package dev.duoka.hardware;

import dev.duoka.formats.json.JsonFields;
import dev.duoka.formats.yaml.YamlData;

/** The data file that comes with the program, read once. */
final class HardwareFile {
  private static final JsonFields CONTENT = YamlData.resource(HardwareFile.class, "hardware.yaml");

  private HardwareFile() {}

  static JsonFields content() {
    return CONTENT;
  }
}
