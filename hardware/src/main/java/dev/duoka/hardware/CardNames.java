package dev.duoka.hardware;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.base.NearestName;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * Finds cards by the many ways to write their names: {@code A100-80G-SXM}, {@code a100 80gb sxm4},
 * {@code NVIDIA A100-SXM4-80GB}. Words are compared as a set, without vendor names.
 */
final class CardNames {
  private static final Pattern BETWEEN = Pattern.compile("[^a-z0-9]+");
  private static final Set<String> NOISE =
      Set.of(
          "nvidia",
          "geforce",
          "tesla",
          "rtx",
          "gpu",
          "amd",
          "instinct",
          "hbm2",
          "hbm2e",
          "generation",
          "blackwell",
          "workstation",
          "server",
          "edition");

  private final List<Card> cards;
  private final Map<Set<String>, Card> exact = new LinkedHashMap<>();

  CardNames(List<Card> cards) {
    this.cards = List.copyOf(cards);
    for (Card card : cards) {
      exact.put(words(card.name()), card);
      card.aliases().forEach(alias -> exact.putIfAbsent(words(alias), card));
    }
  }

  /** The card of that name; an error with the nearest name where there is none. */
  Card find(String name) {
    return lookUp(name).orElseThrow(() -> unknown(name.strip()));
  }

  private DuokaException unknown(String name) {
    List<String> holding =
        words(name).isEmpty() ? List.of() : holding(words(name)).stream().map(Card::name).toList();
    if (!holding.isEmpty()) {
      return new DuokaException(
          ErrorCode.CONFIG,
          "card '" + name + "' could be " + String.join(" or ", holding),
          "Write one of these names.");
    }
    List<String> names = new ArrayList<>();
    for (Card card : cards) {
      names.add(card.name());
      names.addAll(card.aliases());
    }
    Optional<String> near = NearestName.of(name, names);
    return new DuokaException(
        ErrorCode.CONFIG,
        "the catalogue has no card '" + name + "'",
        near.map(card -> "Did you mean '" + card + "'?")
            .orElse(
                "'duoka advise --docs' prints the "
                    + cards.size()
                    + " cards that it has, for example "
                    + cards.getFirst().name()
                    + "; --catalogue adds others."));
  }

  /** The card whose names hold just these words, or the only one whose name holds them all. */
  Optional<Card> lookUp(String name) {
    Set<String> asked = words(name);
    if (asked.isEmpty()) {
      return Optional.empty();
    }
    Card card = exact.get(asked);
    if (card != null) {
      return Optional.of(card);
    }
    List<Card> holding = holding(asked);
    return holding.size() == 1 ? Optional.of(holding.getFirst()) : Optional.empty();
  }

  private List<Card> holding(Set<String> asked) {
    return cards.stream().filter(candidate -> words(candidate.name()).containsAll(asked)).toList();
  }

  private static Set<String> words(String name) {
    Set<String> words = new HashSet<>();
    String spaced = name.toLowerCase(Locale.ROOT).replaceAll("(rtx)(?=\\d)", "$1 ");
    for (String word : BETWEEN.split(spaced)) {
      String plain = word.replaceFirst("^(\\d+)gi?b$", "$1g").replaceFirst("^sxm\\d$", "sxm");
      if (!plain.isEmpty() && !NOISE.contains(plain)) {
        words.add(plain);
      }
    }
    return words;
  }
}
