package dev.duoka.cli.command;

import dev.duoka.base.DuokaException;
import dev.duoka.cli.console.Screen;
import dev.duoka.operations.run.StateFolder;
import dev.duoka.operations.watch.PageAccess;
import dev.duoka.operations.watch.RunPage;
import dev.duoka.operations.watch.SshTunnel;
import java.nio.file.Path;
import java.util.LinkedHashSet;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/**
 * The options of {@code duoka train} that are for the run's page; says where that is. The run waits
 * for nothing of it.
 */
final class TrainingPage {
  /** A property of the JVM that serves none unless the command line asks for it: false. */
  private static final String PROPERTY = "duoka.watch";

  @Option(
      names = "--watch",
      negatable = true,
      description =
          "Serve a page of the run to this machine and say where: in a terminal the address,"
              + " elsewhere the file that has it. Default: yes.")
  private @Nullable Boolean watch;

  @Option(
      names = "--allow-host",
      paramLabel = "NAME",
      description =
          "Let the page answer under this name too, for a proxy before it; localhost always."
              + " Repeatable.")
  private Set<String> hosts = new LinkedHashSet<>();

  @Option(
      names = "--bind",
      paramLabel = "ADDRESS",
      description =
          "Serve the page there too: other machines can then ask, and the token crosses the network"
              + " unencrypted. 0.0.0.0 is all addresses; then name this machine with"
              + " --allow-host. Repeatable.")
  private Set<String> addresses = new LinkedHashSet<>();

  /**
   * Lets the page be served and says where, as soon as it is there.
   *
   * @param json whether standard output is for a program
   * @param output takes lines for people, on any thread
   */
  void show(Path run, boolean json, Consumer<String> output) {
    boolean terminal = Screen.isTerminal() && !json;
    boolean wanted = watch == null ? !"false".equals(System.getProperty(PROPERTY)) : watch;
    if (!wanted) {
      return;
    }
    PageAccess access = new PageAccess(hosts, addresses);
    Thread.ofPlatform()
        .daemon()
        .name("run-page")
        .start(
            () -> {
              try {
                say(RunPage.of(run, StateFolder.standard(), access), terminal, output);
              } catch (DuokaException e) {
                output.accept("note     " + e.getMessage());
              } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
              }
            });
  }

  private void say(RunPage page, boolean terminal, Consumer<String> output) {
    output.accept(
        terminal
            ? "watch    " + page.address()
            : "watch    the address of the run's page with its token is in " + page.file());
    for (String address : addresses) {
      output.accept(
          "note     the page can be reached from other machines at port "
              + page.port()
              + " of "
              + address
              + ", and nothing is encrypted; an SSH tunnel to 127.0.0.1 is safer");
    }
    SshTunnel.command(System::getenv, System.getProperty("user.name"), page.port())
        .ifPresent(command -> output.accept("         where you have come from, type: " + command));
  }
}
