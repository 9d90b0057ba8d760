package dev.duoka.diagnosis.rule;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.RepetitionInfo;

final class KeywordAutomatonTests {
  @RepeatedTest(30)
  void findsWhatASearchForEachWordFinds(RepetitionInfo info) {
    Random random = new Random(info.getCurrentRepetition());
    Set<String> distinct = new TreeSet<>();
    while (distinct.size() < 12) {
      distinct.add(word(random, 1 + random.nextInt(5)));
    }
    List<String> words = List.copyOf(distinct);
    String text = word(random, 400).replace('c', '\n');
    if (random.nextBoolean()) {
      text = text.toUpperCase(Locale.ROOT);
    }
    List<String> found = new ArrayList<>();
    KeywordAutomaton automaton = KeywordAutomaton.of(words);
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    int state = 0;
    for (int i = 0; i < bytes.length; i++) {
      state = automaton.table()[state + automaton.classes()[bytes[i] & 0xff]];
      if (state >= automaton.firstSpecial()) {
        for (int word : automaton.words(state)) {
          found.add(words.get(word) + "@" + (i + 1));
        }
      }
    }
    List<String> expected = new ArrayList<>();
    String lower = text.toLowerCase(Locale.ROOT);
    for (String word : words) {
      for (int at = lower.indexOf(word); at >= 0; at = lower.indexOf(word, at + 1)) {
        expected.add(word + "@" + (at + word.length()));
      }
    }
    assertThat(found).containsExactlyInAnyOrderElementsOf(expected);
  }

  private static String word(Random random, int length) {
    StringBuilder word = new StringBuilder();
    for (int i = 0; i < length; i++) {
      word.append("abc: d".charAt(random.nextInt(5)));
    }
    return word.toString();
  }
}
