package dev.duoka.diagnosis.log;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class LogLineTests {
  @ParameterizedTest
  @CsvSource(
      delimiter = '~',
      value = {
        "[rank3]: message~3~~message",
        "[rank12]:[E0704 12:30:45.111222333 a.cpp:1] message~12~~[E0704 12:30:45.111222333 a.cpp:1]"
            + " message",
        "7: message~7~~message",
        "[1,5]<stderr>:message~5~~message",
        "(VllmWorker rank=2 pid=226) message~2~~message",
        "(RayTrainWorker pid=99, ip=10.0.0.4) message~~10.0.0.4~message",
        "1: [rank9]: message~9~~message",
        "gpu17: message~~gpu17~message",
        "gpu17: [rank3]: message~3~gpu17~message",
        "Mar  3 04:11:09 n4 kernel: [  12.5] message~~n4~message",
        "2026-02-03T04:05:06,123456+00:00 n4 kernel: message~~n4~message",
        "[Sun Feb 23 16:24:18 2025] message~~~message",
        "6,3973,227996636,-;message~~~message",
        "kern  :err   : 2026-02-03T04:05:06,123456+00:00 message~~~message",
        "2025-01-25T10:34:54.8Z stderr F [rank1]: message~1~~message",
        "n7:31377:31460 [0] NCCL WARN message~~n7~n7:31377:31460 [0] NCCL WARN message",
        "srun: error: g3: task 4: Exited with exit code 1~4~g3~srun: error: g3: task 4: Exited with"
            + " exit code 1",
        "RuntimeError: message~~~RuntimeError: message",
        "nvidia-nvswitch1: SXid~~~nvidia-nvswitch1: SXid"
      })
  void rankHostAndMessage(String text, String rank, String host, String body) {
    LogLine line = LogLine.of(text);
    assertThat(line.body()).isEqualTo(body);
    assertThat(line.text()).isEqualTo(text);
    assertThat(line.rank().isPresent() ? "" + line.rank().getAsInt() : null).isEqualTo(rank);
    assertThat(line.host().orElse(null)).isEqualTo(host);
  }

  @Test
  void dockersJsonIsUnwrapped() {
    LogLine line =
        LogLine.of(
            "{\"log\":\"[rank1]: say \\\"no\\\"\\n"
                + "\",\"stream\":\"stderr\",\"time\":\"2025-01-01T00:00:00Z\"}");
    assertThat(line.body()).isEqualTo("say \"no\"");
    assertThat(line.rank()).hasValue(1);
  }

  @Test
  void clocksOfDifferentFormatsCompare() {
    long glog = LogLine.of("[E1003 18:37:01.832146912 a.cpp:1] x").time().orElseThrow();
    long iso = LogLine.of("2025-10-03 18:37:02,100 x").time().orElseThrow();
    long kernel = LogLine.of("[Fri Oct  3 18:37:03 2025] x").time().orElseThrow();
    assertThat(glog).isLessThan(iso);
    assertThat(iso).isLessThan(kernel);
  }

  @Test
  void terminalCodesGoAndBrokenTextStays() {
    byte[] bytes = {27, '[', '3', '1', 'm', 'a', (byte) 0xff, 27, '[', 'K', 'b', 0};
    assertThat(LineText.of(bytes, 0, bytes.length)).isEqualTo("a\ufffdb");
  }
}
