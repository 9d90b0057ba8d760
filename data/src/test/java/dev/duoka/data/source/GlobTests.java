package dev.duoka.data.source;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.duoka.base.DuokaException;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class GlobTests {
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "*.txt | a.txt | true",
        "*.txt | b/a.txt | false",
        "**/*.txt | a.txt | true",
        "**/*.txt | b/c/a.txt | true",
        "b/** | b/c/a.txt | true",
        "b/** | c/a.txt | false",
        "x/**/y.txt | x/y.txt | true",
        "x/**/y.txt | x/1/2/y.txt | true",
        "a?.txt | ab.txt | true",
        "a?.txt | a/.txt | false",
        "[a-c].txt | b.txt | true",
        "[!a-c].txt | b.txt | false",
        "[!a-c].txt | d.txt | true",
        "[{].txt | {.txt | true",
        "*.{txt,md} | a.md | true",
        "*.{txt,md} | a.rs | false",
        "a,b.txt | a,b.txt | true",
        "a.txt | axtxt | false",
        "** | any/thing | true",
        "(x)+$^.txt | (x)+$^.txt | true",
      })
  void matches(String glob, String path, boolean expected) {
    assertThat(Glob.of(glob).matches(path)).isEqualTo(expected);
  }

  @ParameterizedTest
  @ValueSource(strings = {"{a,b", "[", "[]", "[z-a]"})
  void refusesUnclosedPatterns(String glob) {
    assertThatThrownBy(() -> Glob.of(glob))
        .isInstanceOf(DuokaException.class)
        .hasMessageContaining("'" + glob + "' is not valid");
  }
}
