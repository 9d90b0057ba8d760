package dev.duoka.hardware;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Reads names of machines: a number, a cross, a card; {@code 8xA100-80G-SXM}, {@code 4 × 4090}. */
final class MachineNames {
  private static final Pattern NAME = Pattern.compile("(?s)\\s*(\\d+)\\s*[xX×*]\\s*(.+)");

  private static final Pattern SEVERAL = Pattern.compile("[+&,]\\s*(\\d+\\s*[xX×*]|[A-Za-z])");

  private MachineNames() {}

  static Machine parse(String name, Catalogue catalogue) {
    Matcher matcher = NAME.matcher(name);
    String digits = "1";
    String card = name;
    if (matcher.matches()) {
      card = matcher.group(2);
      digits = matcher.group(1);
    }
    if (card.isBlank() || card.length() > 200) {
      throw new DuokaException(
          ErrorCode.CONFIG,
          "'" + card.strip().substring(0, Math.min(40, card.strip().length())) + "' names no card",
          "Write a number and a card, for example 8xA100-80G-SXM.");
    }
    // A plus also ends names of cards, so it is two kinds only where a second machine follows.
    if (SEVERAL.matcher(card).find()) {
      throw new DuokaException(
          ErrorCode.CONFIG,
          "machine '" + name.strip() + "' has two kinds of cards, which are not planned together",
          "The slowest and the smallest of them would decide. Name the equal ones alone, for"
              + " example "
              + digits
              + "x"
              + card.split("[+&,]", 2)[0].strip()
              + ".");
    }
    Card kind = catalogue.card(card);
    return catalogue.machine(kind, count(digits, name, kind));
  }

  private static int count(String digits, String name, Card card) {
    int most = card.mostInMachine();
    int gpus = digits.length() > 6 ? Integer.MAX_VALUE : Integer.parseInt(digits);
    if (gpus < 1 || gpus > most) {
      throw new DuokaException(
          ErrorCode.CONFIG,
          "machine '" + name.strip() + "' has " + digits + " GPUs",
          "Plans are for one machine, and one holds 1 to "
              + most
              + " GPUs of this kind: for example "
              + most
              + "x"
              + card.name()
              + ".");
    }
    return gpus;
  }
}
