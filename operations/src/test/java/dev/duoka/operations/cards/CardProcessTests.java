package dev.duoka.operations.cards;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.machine.probe.CardActivity;
import dev.duoka.machine.probe.CardLoad;
import dev.duoka.machine.probe.LinkRate;
import dev.duoka.operations.process.OwnCommand;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Whoever asks the driver may hang or die: nobody else does. */
@Timeout(60)
final class CardProcessTests {
  private static final CardWatch.Seen CARD =
      new CardWatch.Seen(
          3,
          Optional.of("GPU-a"),
          new CardLoad(
              Optional.of(90),
              Optional.of(7L << 30),
              Optional.of(300.5),
              Optional.of(60),
              Optional.of(1980),
              Optional.of(new LinkRate(2e9, 1e9)),
              Optional.empty(),
              new CardActivity(Optional.of(88.5), Optional.empty(), Optional.of(7.0))),
          false);

  @TempDir Path folder;

  private static List<String> shell(String script) {
    return List.of("sh", "-c", script);
  }

  private static String says() {
    return "echo '" + CardsJson.of(List.of(CARD)) + "'";
  }

  private static void await(CardProcess process, Predicate<List<CardWatch.Seen>> wanted)
      throws InterruptedException {
    while (!wanted.test(process.cards())) {
      Thread.sleep(5);
    }
  }

  @Test
  void whatItSaysIsKnownHere() throws InterruptedException {
    CardProcess process =
        new CardProcess(
            _ -> shell("while true; do " + says() + "; sleep 0.05; done"), 60_000_000_000L);
    await(process, seen -> !seen.isEmpty());
    assertThat(process.cards()).containsExactly(CARD);
    assertThat(process.problem()).isEmpty();
  }

  @Test
  void whoDiesIsStartedAgainWithoutCounters() throws InterruptedException {
    CardProcess process =
        new CardProcess(
            counters -> shell(counters ? "kill -SEGV $$" : says() + "; exec sleep 50"),
            60_000_000_000L);
    await(process, seen -> !seen.isEmpty());
    assertThat(process.cards()).containsExactly(CARD);
    assertThat(process.problem())
        .hasValueSatisfying(
            problem -> assertThat(problem).contains("status 139", "without their performance"));
  }

  @Test
  void whoDiesTwiceIsNotStartedAThirdTime() throws IOException, InterruptedException {
    Path starts = folder.resolve("starts");
    CardProcess process =
        new CardProcess(
            _ -> shell("echo started >> " + starts + "; " + says() + "; exit 7"), 60_000_000_000L);
    await(
        process,
        _ -> process.problem().filter(problem -> problem.contains("any more")).isPresent());
    assertThat(process.cards()).allMatch(CardWatch.Seen::stale).hasSize(1);
    assertThat(Files.readAllLines(starts)).hasSize(2);
  }

  @Test
  void nobodyIsAskedWhenNobodyWantsToKnow() throws IOException, InterruptedException {
    Path lines = folder.resolve("lines");
    CardProcess process =
        new CardProcess(
            _ -> shell("echo $$ >> " + lines + "; while true; do " + says() + "; sleep 0.02; done"),
            50_000_000L);
    await(process, seen -> !seen.isEmpty());
    long pid = Long.parseLong(Files.readAllLines(lines).getFirst());
    while (ProcessHandle.of(pid).filter(ProcessHandle::isAlive).isPresent()) {
      Thread.sleep(5);
    }
    assertThat(process.cards()).as("of another time").isEmpty(); // and asks again
    await(process, seen -> seen.equals(List.of(CARD)));
    assertThat(Files.readAllLines(lines)).hasSize(2);
    assertThat(process.problem()).isEmpty();
  }

  /** The program itself, on a machine with or without cards. */
  @Test
  void theRealOneEndsWithItsInput() throws IOException, InterruptedException {
    List<String> command =
        OwnCommand.java(List.of(), "dev.duoka.operations", CardsMain.class.getName());
    Process real = new ProcessBuilder(command).redirectErrorStream(true).start();
    assertThat(real.inputReader().readLine()).startsWith("{\"cards\":[");
    real.outputWriter().close();
    assertThat(real.waitFor()).isZero();
  }
}
