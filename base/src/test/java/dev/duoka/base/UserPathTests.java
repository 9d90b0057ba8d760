package dev.duoka.base;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

final class UserPathTests {
  private static final Map<String, String> ENVIRONMENT = Map.of("HOME", "/somewhere/else");

  @ParameterizedTest
  @CsvSource({"~, /somewhere/else", "~/, /somewhere/else/", "~/a/~/b, /somewhere/else/a/~/b"})
  void theHomeFolderIsThatOfTheEnvironment(String path, String expanded) {
    assertThat(UserPath.expand(path, ENVIRONMENT::get)).isEqualTo(expanded);
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "a/~", "~other/a", "~~", "/~/a", "./~", "~a"})
  void otherPathsStayAsTheyAre(String path) {
    assertThat(UserPath.expand(path, ENVIRONMENT::get)).isEqualTo(path);
  }

  @Test
  void theSystemKnowsTheHomeWhereTheEnvironmentDoesNot() {
    Path known = Path.of(System.getProperty("user.home"));
    assertThat(UserPath.home(Map.<String, String>of()::get)).isEqualTo(known);
    assertThat(UserPath.home(Map.of("HOME", " ")::get)).isEqualTo(known);
    assertThat(UserPath.expand("~/a", Map.<String, String>of()::get)).isEqualTo(known + "/a");
  }

  @Test
  void cachesLieInTheSameHome() {
    assertThat(CacheFolder.of("x", ENVIRONMENT::get))
        .isEqualTo(Path.of("/somewhere/else/.cache/duoka/x"));
    assertThat(CacheFolder.of("x", Map.of("HOME", "/h", "XDG_CACHE_HOME", "/big")::get))
        .isEqualTo(Path.of("/big/duoka/x"));
    for (String none : new String[] {"", "relative/folder"}) {
      assertThat(CacheFolder.of("x", Map.of("HOME", "/h", "XDG_CACHE_HOME", none)::get))
          .isEqualTo(Path.of("/h/.cache/duoka/x"));
    }
  }
}
