package dev.duoka.machine.topology;

import dev.duoka.machine.topology.Token.Kind;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Splits a cleaned line into tokens; fused words such as {@code PIXNODE} are taken apart. */
final class TokenScanner {
  /** How Linux's RDMA drivers name their devices, by kernel name or by udev's persistent rules. */
  private static final Pattern RDMA_NAME =
      Pattern.compile(
          "(?:mlx[45]_|roce|ib[ps]|ibo|hfi1_|opap|bnxt_re|irdma|efa_|rdmap|qedr|i40iw|erdma_|hns_"
              + "|cxgb4_|usnic_|ocrdma|ionic_|mana_|rxe|siw)[a-z0-9_.]{0,40}");

  private static final Pattern FUSED_NAME =
      Pattern.compile("(?:GPU|NIC)[0-9]{1,4}|mlx[45]_(?:bond_)?[0-9]{1,3}");
  private static final int MOST_TEXT = 4096;

  private TokenScanner() {}

  static List<Token> scan(String line) {
    List<Token> tokens = new ArrayList<>();
    int length = line.length();
    int at = 0;
    while (at < length) {
      if (isBlank(line.charAt(at))) {
        at++;
        continue;
      }
      int end = at + 1;
      while (end < length && !isBlank(line.charAt(end))) {
        end++;
      }
      addChunk(line.substring(at, end), at, tokens);
      at = end;
    }
    return tokens;
  }

  /** The one token that a whole text is. */
  static Token single(String text, int start) {
    List<Token> tokens = new ArrayList<>(1);
    addChunk(text, start, tokens);
    return tokens.size() == 1 ? tokens.getFirst() : new Token(Kind.WORD, text, start, false);
  }

  private static boolean isBlank(char c) {
    return c == ' ' || c == '\t';
  }

  private static void addChunk(String chunk, int start, List<Token> tokens) {
    Token whole = whole(chunk, start);
    if (whole != null) {
      tokens.add(whole);
      return;
    }
    List<Token> parts = chunk.length() <= MOST_TEXT ? parts(chunk, start) : List.of();
    if (parts.isEmpty()) {
      tokens.add(new Token(Kind.WORD, chunk, start, false));
    } else {
      tokens.addAll(parts);
    }
  }

  private static @Nullable Token whole(String chunk, int start) {
    if (chunk.equals("X") || chunk.equals("x")) {
      return new Token(Kind.SELF, chunk, start, false);
    }
    Optional<Link> link = Link.parse(chunk);
    if (link.isPresent()) {
      return new Token(Kind.CELL, chunk, start, start + chunk.length(), false, link.get());
    }
    if (isNumbered(chunk, "GPU", 4)) {
      return new Token(Kind.GPU, chunk, start, false);
    }
    if (isNumbered(chunk, "NIC", 3) || RDMA_NAME.matcher(chunk).matches()) {
      return new Token(Kind.NIC, chunk, start, false);
    }
    if (chunk.equals("N/A")) {
      return new Token(Kind.NOT_AVAILABLE, chunk, start, false);
    }
    return numbersEnd(chunk, 0) == chunk.length()
        ? new Token(Kind.NUMBERS, chunk, start, false)
        : null;
  }

  private static boolean isNumbered(String chunk, String prefix, int mostDigits) {
    int digits = chunk.length() - prefix.length();
    return digits >= 1
        && digits <= mostDigits
        && chunk.startsWith(prefix)
        && chunk.chars().skip(prefix.length()).allMatch(c -> c >= '0' && c <= '9')
        && (digits == 1 || chunk.charAt(prefix.length()) != '0');
  }

  /** The tokens that a chunk is fused from; empty unless all of it is understood. */
  private static List<Token> parts(String chunk, int start) {
    List<Token> parts = new ArrayList<>();
    int at = 0;
    while (at < chunk.length()) {
      if (chunk.charAt(at) == ',') {
        at++;
        continue;
      }
      Token part = part(chunk, at, start);
      if (part == null) {
        return List.of();
      }
      at = part.end() - start;
      parts.add(part);
    }
    return parts;
  }

  private static @Nullable Token part(String chunk, int at, int start) {
    var name = FUSED_NAME.matcher(chunk).region(at, chunk.length());
    if (name.lookingAt()) {
      Kind kind = name.group().startsWith("GPU") ? Kind.GPU : Kind.NIC;
      return fused(kind, name.group(), chunk, at, start, null);
    }
    for (String word : List.of("NODE", "PIX", "PXB", "PHB", "PSB", "SYS", "SOC")) {
      if (chunk.startsWith(word, at)) {
        return fused(Kind.CELL, word, chunk, at, start, Link.parse(word).orElseThrow());
      }
    }
    if (chunk.startsWith("N/A", at)) {
      return fused(Kind.NOT_AVAILABLE, "N/A", chunk, at, start, null);
    }
    if (chunk.startsWith("NV", at)) {
      return nvlink(chunk, at, start);
    }
    if (chunk.startsWith("CPU", at)) {
      return fused(Kind.WORD, chunk.substring(at), chunk, at, start, null);
    }
    if (chunk.charAt(at) == 'X') {
      return fused(Kind.SELF, "X", chunk, at, start, null);
    }
    int end = numbersEnd(chunk, at);
    return end > at ? fused(Kind.NUMBERS, chunk.substring(at, end), chunk, at, start, null) : null;
  }

  /** In {@code NV120-23} nobody knows where the cell ends: it counts as a word. */
  private static @Nullable Token nvlink(String chunk, int at, int start) {
    int end = at + 2;
    while (end < chunk.length() && Character.isDigit(chunk.charAt(end))) {
      end++;
    }
    String text = chunk.substring(at, end);
    boolean clear = end == chunk.length() || "-".indexOf(chunk.charAt(end)) < 0;
    Optional<Link> link = clear ? Link.parse(text) : Optional.empty();
    if (link.isPresent()) {
      return fused(Kind.CELL, text, chunk, at, start, link.get());
    }
    int numbers = numbersEnd(chunk, at + 2);
    return numbers > at + 2
        ? fused(Kind.WORD, chunk.substring(at, numbers), chunk, at, start, null)
        : null;
  }

  private static Token fused(
      Kind kind, String text, String chunk, int at, int start, @Nullable Link link) {
    int end = at + text.length();
    boolean more = end < chunk.length() && chunk.charAt(end) != ',';
    return new Token(kind, text, start + at, start + end, more, link);
  }

  /** Where a list like {@code 0-23,48-71} that begins at a place ends; a final comma belongs. */
  private static int numbersEnd(String chunk, int from) {
    int at = from;
    while (true) {
      int number = digitsEnd(chunk, at);
      if (number == at) {
        return at; // nothing, or after a comma
      }
      at = number;
      if (at + 1 < chunk.length() && chunk.charAt(at) == '-') {
        int second = digitsEnd(chunk, at + 1);
        if (second == at + 1) {
          return from;
        }
        at = second;
      }
      if (at == chunk.length() || chunk.charAt(at) != ',') {
        return at;
      }
      at++;
    }
  }

  private static int digitsEnd(String chunk, int from) {
    int at = from;
    while (at < chunk.length() && chunk.charAt(at) >= '0' && chunk.charAt(at) <= '9') {
      at++;
    }
    return at;
  }
}
