package dev.duoka.operations.watch;

import dev.duoka.base.VisibleText;
import java.util.regex.Pattern;

/** Text of others as it can be shown: secrets are left out, and nothing in it is obeyed. */
final class RedactedText {
  /** Where a secret follows its name, as in {@code HF_TOKEN=…} and {@code "password": "…"}. */
  private static final Pattern NAMED =
      Pattern.compile(
          "(?i)((?:token|secret|passw(?:or)?d|api[_-]?key|access[_-]?key|authorization)[\"']?"
              + "\\s*[=:]\\s*(?:bearer |basic )?[\"']?)[^\\s\"',;&]{4,}");

  /** User and password of an address, and what is a secret by its own look. */
  private static final Pattern KNOWN =
      Pattern.compile(
          "(?<=://)[^/\\s:@]+:[^/\\s@]+(?=@)|\\bhf_[A-Za-z0-9]{16,}|\\bsk-[A-Za-z0-9_-]{16,}"
              + "|\\bgh[pousr]_[A-Za-z0-9]{16,}|\\bAKIA[A-Z0-9]{16}\\b|(?i)(?<=bearer )\\S{8,}");

  private static final String HIDDEN = "•••";

  private RedactedText() {}

  /** As it is shown, with its line breaks and tabs. */
  static String of(String text) {
    String open = KNOWN.matcher(NAMED.matcher(text).replaceAll("$1" + HIDDEN)).replaceAll(HIDDEN);
    return VisibleText.withLayout(open);
  }

  /** As {@link #of}, on one line. */
  static String line(String text) {
    return of(text).replace('\n', '␊').replace('\t', ' ');
  }
}
