package dev.duoka.data.tokenizer;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/** Names of Unicode properties in patterns, from Oniguruma's to Java's. */
final class UnicodeProperty {
  /** What a word is made of, for use between brackets. */
  static final String WORD = "\\p{IsAlphabetic}\\p{M}\\p{Nd}\\p{Pc}";

  static final String LATIN_NUMBERS = "²³¹¼½¾";

  private static final Set<String> CATEGORIES =
      Set.of(
          "L", "Lu", "Ll", "Lt", "Lm", "Lo", "M", "Mn", "Mc", "Me", "N", "Nd", "Nl", "No", "P",
          "Pc", "Pd", "Ps", "Pe", "Pi", "Pf", "Po", "S", "Sm", "Sc", "Sk", "So", "Z", "Zs", "Zl",
          "Zp", "C", "Cc", "Cf", "Cs", "Co", "Cn", "LC");

  private static final Map<String, String> LONG_NAMES =
      Map.ofEntries(
          Map.entry("letter", "L"),
          Map.entry("uppercaseletter", "Lu"),
          Map.entry("lowercaseletter", "Ll"),
          Map.entry("titlecaseletter", "Lt"),
          Map.entry("modifierletter", "Lm"),
          Map.entry("otherletter", "Lo"),
          Map.entry("mark", "M"),
          Map.entry("nonspacingmark", "Mn"),
          Map.entry("spacingmark", "Mc"),
          Map.entry("enclosingmark", "Me"),
          Map.entry("number", "N"),
          Map.entry("decimalnumber", "Nd"),
          Map.entry("digit", "Nd"),
          Map.entry("letternumber", "Nl"),
          Map.entry("othernumber", "No"),
          Map.entry("punctuation", "P"),
          Map.entry("punct", "P"),
          Map.entry("connectorpunctuation", "Pc"),
          Map.entry("dashpunctuation", "Pd"),
          Map.entry("symbol", "S"),
          Map.entry("mathsymbol", "Sm"),
          Map.entry("currencysymbol", "Sc"),
          Map.entry("separator", "Z"),
          Map.entry("spaceseparator", "Zs"),
          Map.entry("other", "C"),
          Map.entry("control", "Cc"),
          Map.entry("cntrl", "Cc"),
          Map.entry("format", "Cf"),
          Map.entry("unassigned", "Cn"),
          Map.entry("alpha", "IsAlphabetic"),
          Map.entry("alphabetic", "IsAlphabetic"),
          Map.entry("lower", "IsLowercase"),
          Map.entry("lowercase", "IsLowercase"),
          Map.entry("upper", "IsUppercase"),
          Map.entry("uppercase", "IsUppercase"),
          Map.entry("space", "IsWhite_Space"),
          Map.entry("whitespace", "IsWhite_Space"),
          Map.entry("ideographic", "IsIdeographic"),
          Map.entry("emoji", "IsEmoji"));

  private static final Map<String, String> SETS =
      Map.of(
          "any", "\\x{0}-\\x{10FFFF}",
          "ascii", "\\x00-\\x7F",
          "alnum", "\\p{IsAlphabetic}\\p{Nd}",
          "word", WORD + LATIN_NUMBERS,
          "blank", "\\t\\p{Zs}",
          "xdigit", "0-9a-fA-F");

  private UnicodeProperty() {}

  /** As {@link #translate}, for a name between {@code [:} and {@code :]}. */
  static String bracket(String name, boolean negated) {
    return switch (name) {
      case "punct" -> (negated ? "[^" : "[") + "\\p{P}\\p{S}]";
      case "word" -> (negated ? "[^" : "[") + WORD + "]";
      default -> translate(name, negated);
    };
  }

  /** The property as a part of a Java pattern, in and out of brackets. */
  static String translate(String name, boolean negated) {
    String key = name.toLowerCase(Locale.ROOT).replaceAll("[ _-]", "");
    String set = SETS.get(key);
    if (set != null) {
      return (negated ? "[^" : "[") + set + "]";
    }
    return (negated ? "\\P{" : "\\p{") + javaName(name, key) + "}";
  }

  private static String javaName(String name, String key) {
    for (String category : CATEGORIES) {
      if (category.equalsIgnoreCase(key)) {
        return category;
      }
    }
    String java = LONG_NAMES.get(key);
    if (java != null) {
      return java;
    }
    String script = name.replaceFirst("(?i)^(script|sc)=", "");
    try {
      return "Is" + Character.UnicodeScript.forName(script);
    } catch (IllegalArgumentException e) {
      throw new DuokaException(
          ErrorCode.FORMAT,
          "cannot use a pattern with the property \\p{" + name + "}",
          "Supported are general categories, scripts and the POSIX classes.",
          e);
    }
  }
}
