package dev.duoka.base;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class NearestNameTests {
  private static final List<String> NAMES = List.of("warmup_steps", "learning_rate", "precision");

  @Test
  void findsSlipsOfTheFinger() {
    assertThat(NearestName.of("learning_rat", NAMES)).contains("learning_rate");
    assertThat(NearestName.of("Precison", NAMES)).contains("precision");
    assertThat(NearestName.of("warmpu_steps", NAMES)).contains("warmup_steps");
  }

  @Test
  void listsNamesWhenNothingIsNear() {
    assertThat(NearestName.of("zzz", NAMES)).isEmpty();
    assertThat(NearestName.hint("zzz", NAMES)).contains("warmup_steps, learning_rate, precision");
  }

  @Test
  void ofManyNamesTheNearestFewAreListed() {
    List<String> many =
        new ArrayList<>(IntStream.range(0, 200).mapToObj(i -> "other-" + i).toList());
    many.addAll(List.of("demo-2", "demo-2", "quickstart-20261129-221500", "dome"));
    assertThat(NearestName.nearest("demo", many))
        .isEqualTo("The nearest of 203 are 'demo-2', 'dome', 'other-0', 'other-1', 'other-2'.");
    assertThat(NearestName.nearest("QUICK", many))
        .startsWith("The nearest of 203 are 'quickstart-20261129-221500', ");
    assertThat(NearestName.nearest("x", List.of("demo", "a"))).isEqualTo("There are 'a', 'demo'.");
    assertThat(NearestName.nearest("x", List.of("demo"))).isEqualTo("The only one is 'demo'.");
  }

  @Test
  void countsTranspositionsAsOneEdit() {
    assertThat(NearestName.distance("ab", "ba")).isEqualTo(1);
    assertThat(NearestName.distance("kitten", "sitting")).isEqualTo(3);
    assertThat(NearestName.distance("", "abc")).isEqualTo(3);
  }
}
