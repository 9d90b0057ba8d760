package dev.duoka.data.overlap;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TextMarksTests {
  private static String words(int from, int to) {
    return IntStream.range(from, to).mapToObj(i -> "word" + i).collect(Collectors.joining(" "));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "Hello, World|hello,   world|true",
        "Hello, World|hello , world|true",
        "a b c|'  A\tB\nC '|true",
        "\u591a\u5361 \u8bad\u7ec3|\u591a\u5361\u8bad\u7ec3|true",
        "hello world|helloworld|false",
        "hello, world|hello world|false",
        "a b|b a|false"
      })
  void caseAndWhiteSpaceDoNotCount(String first, String second, boolean same) {
    assertThat(TextMarks.of(first, 0).normalised() == TextMarks.of(second, 0).normalised())
        .isEqualTo(same);
  }

  @Test
  void passagesAreOfThirteenWords() {
    assertThat(TextMarks.of(words(0, 12), 0).passages()).isEmpty();
    assertThat(TextMarks.of(words(0, 13), 0).passages()).hasSize(1);
    assertThat(TextMarks.of(words(0, 100), 0).passages()).hasSize(88);
    assertThat(TextMarks.of("  ", 0)).satisfies(marks -> assertThat(marks.normalised()).isZero());
    // Wherever a passage stands, and however it is written, it is the same.
    List<Long> within =
        Arrays.stream(TextMarks.of("Before this, " + words(3, 30).toUpperCase(), 0).passages())
            .boxed()
            .toList();
    assertThat(within)
        .containsAll(Arrays.stream(TextMarks.of(words(3, 30), 0).passages()).boxed().toList())
        .doesNotContainAnyElementsOf(
            Arrays.stream(TextMarks.of(words(31, 60), 0).passages()).boxed().toList());
  }

  @Test
  void charactersOfScriptsWithoutSpacesAreWords() {
    String han = "\u4e00\u4e01\u4e03\u4e07\u4e08\u4e09\u4e0a\u4e0b\u4e0d\u4e0e\u4e10\u4e11\u4e13";
    assertThat(TextMarks.of(han, 0).passages()).hasSize(1);
    assertThat(TextMarks.of(han.substring(1), 0).passages()).isEmpty();
  }

  @Test
  void samplingKeepsAPartThatDependsOnThePassagesAlone() {
    Random random = new Random(3);
    String text =
        IntStream.range(0, 20_000)
            .mapToObj(_ -> "w" + random.nextInt(5000))
            .collect(Collectors.joining(" "));
    long[] all = TextMarks.of(text, 0).passages();
    for (int sampling = 1; sampling < 5; sampling++) {
      int bits = sampling;
      long[] some = TextMarks.of(text, sampling).passages();
      assertThat(some)
          .isEqualTo(Arrays.stream(all).filter(p -> TextMarks.isSampled(p, bits)).toArray());
      assertThat((double) some.length * (1 << sampling) / all.length).isBetween(0.8, 1.2);
    }
  }
}
