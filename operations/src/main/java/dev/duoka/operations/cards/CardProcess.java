package dev.duoka.operations.cards;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.formats.json.Json;
import dev.duoka.operations.process.OwnCommand;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Asks the cards of this machine how busy they are, by a process of its own that lives as long as
 * somebody wants to know: a driver that hangs, or that ends who asks it, takes neither the page nor
 * a terminal along. A process that ends by itself is started once more without the cards'
 * performance counters, the newest part of the driver, and not a third time. Thread-safe.
 */
public final class CardProcess {
  private static final List<String> FLAGS =
      List.of(
          "-Xmx32m",
          "-XX:+UseSerialGC",
          "-XX:TieredStopAtLevel=1",
          "-XX:-UsePerfData",
          "-XX:ReservedCodeCacheSize=16m");

  private static final long WANTED_NANOS = 5_000_000_000L;

  /** A process that is started and says nothing for so long hangs as a whole. */
  private static final long STALE_NANOS = 10_000_000_000L;

  private final Function<Boolean, List<String>> command;
  private final long wantedNanos;
  private @Nullable Process running;
  private boolean counters = true;
  private boolean isGivenUp;
  private String problem = "";
  private List<CardWatch.Seen> last = List.of();
  private long lastNanos;
  private long wanted;

  /** Of the cards of this machine; nobody is asked yet. */
  public CardProcess() {
    this(CardProcess::command, WANTED_NANOS);
  }

  /**
   * As the other one.
   *
   * @param command that is run, with the performance counters or without
   * @param wantedNanos how long an answer counts as wanted after each question
   */
  CardProcess(Function<Boolean, List<String>> command, long wantedNanos) {
    this.command = command;
    this.wantedNanos = wantedNanos;
  }

  private static List<String> command(boolean counters) {
    List<String> flags = new ArrayList<>(FLAGS);
    flags.add("-XX:ErrorFile=" + System.getProperty("java.io.tmpdir") + "/duoka-cards-%p.log");
    List<String> words =
        new ArrayList<>(OwnCommand.java(flags, "dev.duoka.operations", CardsMain.class.getName()));
    if (!counters) {
      words.add(CardsMain.NO_COUNTERS);
    }
    return words;
  }

  /** What the cards have said last, in the order of their numbers. Returns at once. */
  public synchronized List<CardWatch.Seen> cards() {
    long now = System.nanoTime();
    wanted = now;
    Process silent = running;
    if (silent == null && !isGivenUp) {
      last = List.of(); // what was seen before the pause is of another time
      lastNanos = now;
      start();
    } else if (silent != null && now - lastNanos > STALE_NANOS) {
      silent.destroyForcibly(); // and another one is started
    }
    return isGivenUp || now - lastNanos > STALE_NANOS
        ? last.stream()
            .map(it -> new CardWatch.Seen(it.index(), it.uuid(), it.load(), true))
            .toList()
        : last;
  }

  /** What is wrong with asking them, in a sentence; empty for nothing. */
  public synchronized Optional<String> problem() {
    return problem.isEmpty() ? Optional.empty() : Optional.of(problem);
  }

  private synchronized void start() {
    try {
      Process process =
          new ProcessBuilder(command.apply(counters))
              .redirectError(ProcessBuilder.Redirect.DISCARD)
              .start();
      running = process;
      Thread.ofPlatform().daemon().name("cards").start(() -> follow(process));
    } catch (IOException e) {
      isGivenUp = true;
      problem = "The cards cannot be asked: no process can be started for it (" + e + ").";
    }
  }

  private void follow(Process process) {
    try (BufferedReader lines =
        new BufferedReader(
            new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
      String line = lines.readLine();
      while (line != null) {
        if (!take(line)) {
          process.destroyForcibly();
          return;
        }
        line = lines.readLine();
      }
    } catch (IOException e) {
      // as good as its end
    }
    ended(process);
  }

  /** False when nobody wants to know any more. */
  private synchronized boolean take(String line) {
    long now = System.nanoTime();
    if (now - wanted > wantedNanos) {
      running = null;
      return false;
    }
    try {
      last =
          CardsJson.read(
              Json.parse(
                  line.getBytes(StandardCharsets.UTF_8), "a line about cards", ErrorCode.FORMAT));
      lastNanos = now;
    } catch (DuokaException e) {
      // half a line of a process that is ending
    }
    return true;
  }

  private void ended(Process process) {
    int status;
    try {
      status = process.waitFor();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return;
    }
    again(status);
  }

  private synchronized void again(int status) {
    running = null;
    lastNanos = System.nanoTime();
    if (counters) {
      counters = false;
      problem =
          "The process that asks the cards ended with status "
              + status
              + "; it goes on without their performance counters (what parts of a card do, and"
              + " traffic over NVLink).";
      start();
    } else {
      isGivenUp = true;
      problem =
          "The process that asks the cards ended twice, with status "
              + status
              + " at last: they are not asked any more.";
    }
  }
}
