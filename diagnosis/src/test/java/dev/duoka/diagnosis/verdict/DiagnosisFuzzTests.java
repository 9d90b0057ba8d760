package dev.duoka.diagnosis.verdict;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.base.DuokaException;
import dev.duoka.diagnosis.log.LogSource;
import dev.duoka.diagnosis.rule.Rule;
import dev.duoka.diagnosis.rule.RuleBook;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.RepetitionInfo;
import org.junit.jupiter.api.Test;

/** Whatever the bytes, reading ends in a diagnosis. */
final class DiagnosisFuzzTests {
  private static final List<Rule> RULES = RuleBook.standard().rules();

  @RepeatedTest(40)
  void anyMixtureOfGarbageAndMessages(RepetitionInfo info) {
    Random random = new Random(info.getCurrentRepetition());
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    // What starts like binary data is refused.
    bytes.writeBytes("a log begins as text\n".repeat(250).getBytes(StandardCharsets.UTF_8));
    while (bytes.size() < 1 << 18) {
      bytes.writeBytes(piece(random));
    }
    byte[] log = bytes.toByteArray();
    Diagnosis diagnosis =
        Diagnosis.of(List.of(new LogSource("fuzz", () -> new ByteArrayInputStream(log))));
    assertThat(diagnosis.bytes()).isGreaterThanOrEqualTo(log.length);
    assertThat(diagnosis.findings())
        .allSatisfy(f -> assertThat(f.confidence()).isBetween(0.0, 1.0));
    assertThat(DiagnosisJson.of(diagnosis).path("findings").isArray()).isTrue();
  }

  private static byte[] piece(Random random) {
    return switch (random.nextInt(8)) {
      case 0 -> {
        byte[] noise = new byte[random.nextInt(4000)];
        random.nextBytes(noise);
        yield noise;
      }
      case 1 -> "x".repeat(random.nextInt(100_000)).getBytes(StandardCharsets.UTF_8);
      case 2 ->
          ("\r 10%|█" + random.nextInt())
              .repeat(random.nextInt(200))
              .getBytes(StandardCharsets.UTF_8);
      case 3 -> mutated(random);
      case 4 -> "\n".repeat(random.nextInt(50)).getBytes(StandardCharsets.UTF_8);
      case 5 -> new byte[] {(byte) 0xff, (byte) 0xc0, 0, 27, '[', '9', '9', '9', (byte) 0x80, '\n'};
      case 6 ->
          (" ".repeat(random.nextInt(3000)) + ":")
              .repeat(random.nextInt(4))
              .getBytes(StandardCharsets.UTF_8);
      default ->
          (RULES.get(random.nextInt(RULES.size())).example() + "\n")
              .getBytes(StandardCharsets.UTF_8);
    };
  }

  private static byte[] mutated(Random random) {
    byte[] text =
        RULES.get(random.nextInt(RULES.size())).example().getBytes(StandardCharsets.UTF_8);
    for (int i = 0; i < text.length / 20; i++) {
      text[random.nextInt(text.length)] = (byte) random.nextInt(256);
    }
    return text;
  }

  @RepeatedTest(40)
  void garbageIsRefusedOrRead(RepetitionInfo info) {
    Random random = new Random(info.getCurrentRepetition());
    byte[] noise = new byte[random.nextInt(20_000)];
    random.nextBytes(noise);
    if (random.nextBoolean() && noise.length > 1) {
      noise[0] = (byte) 0xff;
      noise[1] = (byte) 0xfe;
    }
    try {
      LogSource source = new LogSource("noise", () -> new ByteArrayInputStream(noise));
      assertThat(Diagnosis.of(List.of(source)).bytes()).isPositive();
    } catch (DuokaException e) {
      assertThat(e.getMessage()).contains("noise is").doesNotContain("Exception");
    }
  }

  @Test
  void aMessageInTheMiddleOfAGiganticLineIsFound() {
    String log =
        "x".repeat(6 << 20)
            + " NCCL WARN Error: failed to extend /dev/shm/nccl-AbC to 4194660 bytes "
            + "y".repeat(5 << 20);
    Diagnosis diagnosis = Logs.diagnose(log);
    assertThat(diagnosis.findings()).isNotEmpty();
    assertThat(diagnosis.findings().getFirst().rootCause()).isEqualTo("nccl_shm_too_small");
    assertThat(diagnosis.findings().getFirst().decisive().text().length()).isLessThan(9000);
  }

  @Test
  void aFloodOfOneMessageKeepsMemoryAndFindsTheRareOne() {
    String flood = "RuntimeError: something that nobody has seen before\n".repeat(200_000);
    String log = flood + "OSError: [Errno 122] Disk quota exceeded\n" + flood;
    Diagnosis diagnosis = Logs.diagnose(log);
    assertThat(diagnosis.findings().getFirst().rootCause()).isEqualTo("quota_exceeded");
    assertThat(diagnosis.findings().getFirst().decisive().line()).isEqualTo(200_001);
  }
}
