package dev.duoka.checks;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.spi.ToolProvider;
import java.util.stream.Collectors;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;

/**
 * What each module exports and requires, compared with a file that is checked in, so that every
 * change of it is seen in review.
 */
final class ModuleDescriptionTests {
  static final List<String> MODULES = Repository.MODULES;

  private static final String UPDATE = "duoka.update.expected";

  @ParameterizedTest
  @FieldSource("MODULES")
  void moduleIsDescribedAsExpected(String module) throws IOException {
    Path expected =
        Repository.root()
            .resolve("checks/src/test/resources/module-descriptions")
            .resolve(module + ".txt");
    String actual = description(Repository.jar(module));
    if (Boolean.getBoolean(UPDATE)) {
      Files.writeString(expected, actual);
    }
    assertThat(actual)
        .as("%s; if the change is meant, run the test with -D%s=true", expected, UPDATE)
        .isEqualTo(Repository.read(expected));
  }

  /** {@code jar --describe-module} without the jar's path and the program's version. */
  private static String description(Path jar) {
    StringWriter output = new StringWriter();
    PrintWriter printer = new PrintWriter(output);
    ToolProvider tool = ToolProvider.findFirst("jar").orElseThrow();
    int status = tool.run(printer, printer, "--describe-module", "--file", jar.toString());
    assertThat(status).as(output.toString()).isZero();
    return output
            .toString()
            .lines()
            .map(line -> line.replaceFirst("@\\S+ jar:file:\\S+", ""))
            .filter(line -> !line.isBlank())
            .collect(Collectors.joining("\n"))
        + "\n";
  }
}
