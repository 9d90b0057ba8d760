package dev.duoka.doctor.container;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.formats.json.JsonFields;
import dev.duoka.formats.yaml.YamlData;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * An image that duoka runs in.
 *
 * @param image its name and tag
 * @param cuda the CUDA version in it
 * @param pytorch the PyTorch in it, or that is installed into it
 * @param driver the driver from which on it is chosen
 * @param install what pip installs into it; empty where PyTorch is there already
 * @param index the index that it is from
 * @param why why this one
 * @param source where the facts are from
 */
public record BaseImage(
    String image,
    String cuda,
    String pytorch,
    String driver,
    Optional<String> install,
    Optional<String> index,
    String why,
    String source) {

  /** The table, the best first. */
  public static List<BaseImage> table() {
    return YamlData.resource(BaseImage.class, "images.yaml").objects("images").stream()
        .map(
            entry ->
                new BaseImage(
                    text(entry, "image"),
                    text(entry, "cuda"),
                    text(entry, "pytorch"),
                    text(entry, "driver"),
                    entry.text("install"),
                    entry.text("index"),
                    text(entry, "why"),
                    text(entry, "source") + "; read " + text(entry, "read")))
        .toList();
  }

  /**
   * The image for a driver; for an unknown one that which runs from driver 580 on.
   *
   * @throws DuokaException when the driver is too old for any
   */
  public static BaseImage forDriver(Optional<String> driver) {
    List<Integer> version = numbers(driver.orElse("580"));
    if (version.isEmpty()) {
      throw new DuokaException(
          ErrorCode.USAGE,
          "'" + driver.orElse("") + "' is no driver version",
          "Give it as nvidia-smi prints it, for example 580.95.05");
    }
    return table().stream()
        .filter(image -> compare(version, numbers(image.driver())) >= 0)
        .findFirst()
        .orElseThrow(
            () ->
                new DuokaException(
                    ErrorCode.CONFIG,
                    "driver " + driver.orElse("?") + " is older than every image needs",
                    "Update it to 580 or later: sudo apt-get install nvidia-driver-580-server"));
  }

  private static List<Integer> numbers(String version) {
    List<Integer> numbers = new ArrayList<>();
    for (String part : version.split("\\.")) {
      if (!part.matches("\\d{1,6}")) {
        return List.of();
      }
      numbers.add(Integer.parseInt(part));
    }
    return numbers;
  }

  private static int compare(List<Integer> a, List<Integer> b) {
    for (int i = 0; i < Math.min(a.size(), b.size()); i++) {
      int order = Integer.compare(a.get(i), b.get(i));
      if (order != 0) {
        return order;
      }
    }
    return 0;
  }

  private static String text(JsonFields fields, String name) {
    return fields
        .text(name)
        .orElseThrow(() -> fields.error("an image has no '" + name + "'", "Add it"));
  }
}
