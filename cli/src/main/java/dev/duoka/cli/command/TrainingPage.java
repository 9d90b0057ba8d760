package dev.duoka.cli.command;

import dev.duoka.base.DuokaException;
import dev.duoka.cli.console.Screen;
import dev.duoka.operations.run.StateFolder;
import dev.duoka.operations.watch.RunPage;
import dev.duoka.operations.watch.SshTunnel;
import java.nio.file.Path;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** Says where the page of a run that begins is; the run waits for nothing of it. */
final class TrainingPage {
  /** A property of the JVM that serves none unless the command line asks for it: false. */
  private static final String PROPERTY = "duoka.watch";

  private TrainingPage() {}

  /**
   * Lets the page be served and says where, as soon as it is there.
   *
   * @param watch what the command line says; null for nothing
   * @param json whether standard output is for a program
   * @param output takes lines for people, on any thread
   */
  static void show(Path run, @Nullable Boolean watch, boolean json, Consumer<String> output) {
    boolean terminal = Screen.isTerminal() && !json;
    boolean wanted = watch == null ? !"false".equals(System.getProperty(PROPERTY)) : watch;
    if (!wanted) {
      return;
    }
    Thread.ofPlatform()
        .daemon()
        .name("run-page")
        .start(
            () -> {
              try {
                say(RunPage.of(run, StateFolder.standard()), terminal, output);
              } catch (DuokaException e) {
                output.accept("note     " + e.getMessage());
              } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
              }
            });
  }

  private static void say(RunPage page, boolean terminal, Consumer<String> output) {
    output.accept(
        terminal
            ? "watch    " + page.address()
            : "watch    the address of the run's page with its token is in " + page.file());
    SshTunnel.command(System::getenv, System.getProperty("user.name"), page.port())
        .ifPresent(command -> output.accept("         where you have come from, type: " + command));
  }
}
