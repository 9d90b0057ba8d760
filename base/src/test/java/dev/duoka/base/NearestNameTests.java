package dev.duoka.base;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
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
  void countsTranspositionsAsOneEdit() {
    assertThat(NearestName.distance("ab", "ba")).isEqualTo(1);
    assertThat(NearestName.distance("kitten", "sitting")).isEqualTo(3);
    assertThat(NearestName.distance("", "abc")).isEqualTo(3);
  }
}
