package dev.duoka.data.jinja;

import java.time.LocalDateTime;
import java.time.format.DateTimeFormatter;
import java.util.Locale;

/** Python's {@code strftime}, in English, without a time zone. */
final class Strftime {
  private Strftime() {}

  static String format(LocalDateTime time, String format) {
    StringBuilder out = new StringBuilder();
    int i = 0;
    while (i < format.length()) {
      char c = format.charAt(i++);
      if (c != '%') {
        out.append(c);
        continue;
      }
      boolean bare = i < format.length() && format.charAt(i) == '-';
      i += bare ? 1 : 0;
      char code = i < format.length() ? format.charAt(i++) : ' ';
      String field = field(time, code);
      out.append(bare ? field.replaceFirst("^0+(?=.)", "") : field);
    }
    return out.toString();
  }

  private static String field(LocalDateTime time, char code) {
    return switch (code) {
      case '%' -> "%";
      case 'd' -> of(time, "dd");
      case 'e' -> "%2d".formatted(time.getDayOfMonth());
      case 'm' -> of(time, "MM");
      case 'b', 'h' -> of(time, "MMM");
      case 'B' -> of(time, "MMMM");
      case 'Y' -> of(time, "uuuu");
      case 'y' -> of(time, "uu");
      case 'a' -> of(time, "EEE");
      case 'A' -> of(time, "EEEE");
      case 'j' -> of(time, "DDD");
      case 'H' -> of(time, "HH");
      case 'I' -> of(time, "hh");
      case 'M' -> of(time, "mm");
      case 'S' -> of(time, "ss");
      case 'p' -> time.getHour() < 12 ? "AM" : "PM";
      case 'F' -> of(time, "uuuu-MM-dd");
      case 'T' -> of(time, "HH:mm:ss");
      case 'D' -> of(time, "MM/dd/uu");
      case 'Z', 'z' -> "";
      default -> throw new Fault("strftime_now does not know '%" + code + "'");
    };
  }

  private static String of(LocalDateTime time, String pattern) {
    return DateTimeFormatter.ofPattern(pattern, Locale.ENGLISH).format(time);
  }
}
