package dev.duoka.diagnosis.log;

import java.nio.charset.StandardCharsets;
import java.util.regex.Pattern;

/** Text from the bytes of a line: UTF-8 where it is, without terminal codes. */
public final class LineText {
  private static final Pattern TERMINAL_CODES =
      Pattern.compile(
          "\u001b\\[[0-9;?]*["
              + " -/]*[@-~]|\u001b\\][^\u0007\u001b]{0,200}(?:\u0007|\u001b\\\\)|\u001b[@-_=>]");

  private LineText() {}

  /** The text of these bytes; what is not UTF-8 becomes U+FFFD. */
  public static String of(byte[] bytes, int from, int to) {
    String text = new String(bytes, from, to - from, StandardCharsets.UTF_8);
    if (text.indexOf('\u001b') >= 0) {
      text = TERMINAL_CODES.matcher(text).replaceAll("");
    }
    return text.indexOf('\u0000') >= 0 ? text.replace("\u0000", "") : text;
  }
}
