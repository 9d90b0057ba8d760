package dev.duoka.machine.probe;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What stands around a captured output is taken off, and nothing of the output itself. */
final class CaptureTextTests {
  private static final String LIST =
      """
      GPU 0: NVIDIA L40S (UUID: GPU-aaaabbbb-1111-2222-3333-444455556666)
      GPU 1: NVIDIA L40S (UUID: GPU-aaaabbbb-1111-2222-3333-444455556667)

      GPU 2: NVIDIA L40S (UUID: GPU-aaaabbbb-1111-2222-3333-444455556668)
          MIG <none>
      """;

  static Stream<Arguments> wrappings() {
    return Stream.of(
        arguments("quoted", lines(LIST, "> ")),
        arguments("quoted twice", lines(LIST, "> > ")),
        arguments("mpirun", lines(LIST, "[1,0]<stdout>:")),
        arguments("compose", lines(LIST, "worker-0  | ")),
        arguments("pdsh", lines(LIST, "node12: ")),
        arguments("clock", lines(LIST, "2026-02-03T04:05:06.789Z ")),
        arguments("clock behind a name", lines(LIST, "node12: 2026-02-03 04:05:06 ")),
        arguments("coloured", LIST.replace("GPU", "\u001b[4mGPU\u001b[0m")),
        arguments("no-break spaces", LIST.replace(' ', '\u00a0')),
        arguments("dashes", LIST.replace('-', '\u2013')),
        arguments("web page", "<pre>" + LIST.replace("<", "&lt;").replace(">", "&gt;") + "</pre>"),
        arguments("Windows", LIST.replace("\n", "\r\n")));
  }

  private static String lines(String text, String prefix) {
    return text.lines().map(line -> prefix + line).collect(Collectors.joining("\n", "", "\n"));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("wrappings")
  void whatIsAroundTheLinesIsTakenOff(String way, String text) {
    assertThat(read(text).strip()).as(way).isEqualTo(LIST.strip());
  }

  static Stream<String> outputs() {
    return Stream.of(
        """
        MemTotal:       2113571228 kB
        MemFree:        1973245772 kB
        MemAvailable:   21 kB
        """,
        """
        NCCL_DEBUG=INFO
        NCCL_P2P_LEVEL=NVL
        NCCL_SOCKET_IFNAME=eth0
        """,
        LIST,
        """
             Link 0: 25 GB/s
             Link 1: 25 GB/s
             Link 2: <inactive>
        """,
        """
        2026-02-03T04:05:06 h kernel: NVRM: a
        2026-02-03T04:05:07 h kernel: NVRM: b
        2026-02-03T04:05:08 h kernel: NVRM: c
        """);
  }

  @ParameterizedTest
  @MethodSource("outputs")
  void theOutputItselfStays(String text) {
    assertThat(read(text)).isEqualTo(text);
  }

  @ParameterizedTest
  @ValueSource(strings = {"UTF-16LE", "UTF-16BE", "UTF-8"})
  void encodingsWithAMarkAreRead(String encoding) {
    byte[] bytes = ("\ufeff" + LIST).getBytes(Charset.forName(encoding));
    assertThat(CaptureText.of(bytes)).isEqualTo(LIST);
  }

  private static String read(String text) {
    return CaptureText.of(text.getBytes(StandardCharsets.UTF_8));
  }
}
