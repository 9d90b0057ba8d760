package dev.duoka.planner.catalogue;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Reads names of machines: a number, a cross, a card; {@code 8xA100-80G-SXM}, {@code 4 × 4090}. */
final class MachineNames {
  /** More cards than one machine holds; above it somebody has mistyped. */
  private static final int MOST_GPUS = 64;

  private static final Pattern NAME = Pattern.compile("(?s)\\s*(\\d+)\\s*[xX×*]\\s*(.+)");

  private MachineNames() {}

  static Machine parse(String name, Catalogue catalogue) {
    Matcher matcher = NAME.matcher(name);
    int gpus = 1;
    String card = name;
    if (matcher.matches()) {
      card = matcher.group(2);
      gpus = count(matcher.group(1), name);
    }
    if (card.isBlank() || card.length() > 200) {
      throw new DuokaException(
          ErrorCode.CONFIG,
          "'" + card.strip().substring(0, Math.min(40, card.strip().length())) + "' names no card",
          "Write a number and a card, for example 8xA100-80G-SXM.");
    }
    return catalogue.machine(catalogue.card(card), gpus);
  }

  private static int count(String digits, String name) {
    int gpus = digits.length() > 6 ? Integer.MAX_VALUE : Integer.parseInt(digits);
    if (gpus < 1 || gpus > MOST_GPUS) {
      throw new DuokaException(
          ErrorCode.CONFIG,
          "machine '" + name.strip() + "' has " + digits + " GPUs",
          "Plans are for one machine of 1 to " + MOST_GPUS + " GPUs, for example 8xH100.");
    }
    return gpus;
  }
}
