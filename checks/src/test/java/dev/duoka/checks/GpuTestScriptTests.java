package dev.duoka.checks;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.List;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** The script for GPU hosts takes along every module that has tests for them. */
final class GpuTestScriptTests {
  private static final Pattern PACKED = Pattern.compile("(?m)^for module in ([a-z ]+); do$");

  /** Put together, so that this file is none of them. */
  private static final String TAG = "@Tag(" + "\"cuda\")";

  @Test
  void packsEveryModuleWithTestsOnCuda() {
    Matcher packed = PACKED.matcher(Repository.read(Repository.root().resolve("tools/gpu-tests")));
    assertThat(packed.find()).isTrue();
    TreeSet<String> tagged = new TreeSet<>();
    for (Path source : Repository.sources().values()) {
      if (Repository.read(source).contains(TAG)) {
        tagged.add(Repository.root().relativize(source).getName(0).toString());
      }
    }
    assertThat(List.of(packed.group(1).split(" "))).containsExactlyInAnyOrderElementsOf(tagged);
  }
}
