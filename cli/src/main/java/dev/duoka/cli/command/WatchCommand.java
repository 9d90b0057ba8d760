package dev.duoka.cli.command;

import dev.duoka.cli.console.Screen;
import dev.duoka.cli.console.StopSignals;
import dev.duoka.operations.run.RunRegistry;
import dev.duoka.operations.run.StateFolder;
import dev.duoka.operations.watch.AddressFile;
import dev.duoka.operations.watch.PrometheusServer;
import dev.duoka.operations.watch.SshTunnel;
import dev.duoka.operations.watch.WatchServer;
import dev.duoka.operations.watch.WatchedRuns;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code duoka watch}: a run in a browser. */
@Command(
    name = "watch",
    description = {
      "Serve a page with the curves, memory, gradients and log of a run that goes on or is over, to"
          + " browsers of this machine that know its token, until Ctrl-C.",
      "Example: duoka watch runs/demo"
    })
final class WatchCommand implements Runnable {
  private static final int MOST_PORT = 65535;

  @Parameters(
      index = "0",
      paramLabel = "RUN",
      description = "A run's folder, or its name as duoka runs shows it.")
  private String run = "";

  @Option(
      names = "--port",
      paramLabel = "N",
      description = "Serve there. Default: 7470, or any that is free.")
  private @Nullable Integer port;

  @Option(
      names = "--allow-host",
      paramLabel = "NAME",
      description =
          "Answer under this name too, for a proxy before the page; localhost always. Repeatable.")
  private List<String> hosts = new ArrayList<>();

  @Option(
      names = "--prometheus",
      paramLabel = "PORT",
      description =
          "Answer Prometheus too, on a port of its own at /metrics, to whoever has the token in"
              + " the file that is named.")
  private @Nullable Integer prometheus;

  @Option(
      names = "--bind",
      paramLabel = "ADDRESS",
      description =
          "Listen there in place of 127.0.0.1: other machines can then ask, and the token crosses"
              + " the network unencrypted. Name this machine with --allow-host.")
  private String bind = WatchServer.LOOPBACK;

  @Spec private CommandSpec spec;

  @Override
  public void run() {
    if (port != null) {
      OptionRange.check("--port", port, 1, MOST_PORT);
    }
    if (prometheus != null) {
      OptionRange.check("--prometheus", prometheus, 1, MOST_PORT);
    }
    StateFolder state = StateFolder.standard();
    RunRegistry registry = new RunRegistry(state);
    WatchedRuns watched = WatchedRuns.of(registry, registry.find(run));
    CountDownLatch stop = new CountDownLatch(1);
    PrintWriter out = spec.commandLine().getOut();
    try (WatchServer server =
            WatchServer.start(
                watched,
                port == null ? OptionalInt.empty() : OptionalInt.of(port),
                Set.copyOf(hosts),
                bind);
        PrometheusServer metrics =
            prometheus == null ? null : PrometheusServer.start(watched, state, bind, prometheus);
        AddressFile file = AddressFile.write(state, server);
        StopSignals _ =
            StopSignals.listen(stop::countDown, status -> Runtime.getRuntime().halt(status))) {
      out.println(
          Screen.isTerminal()
              ? "The run is at " + server.address()
              : "The run's address with its token is in " + file.path());
      SshTunnel.command(System::getenv, System.getProperty("user.name"), server.port())
          .ifPresent(
              command ->
                  out.println("From the machine you have come from, type first: " + command));
      if (!bind.equals(WatchServer.LOOPBACK)) {
        out.println(
            "Warning: "
                + bind
                + " can be reached from other machines, and nothing is encrypted. An SSH tunnel to"
                + " 127.0.0.1 is safer.");
      }
      if (metrics != null) {
        out.println(
            "Prometheus: /metrics on port "
                + metrics.port()
                + ", bearer token in "
                + metrics.tokenFile());
      }
      out.println("Ctrl-C ends this page; the run goes on.");
      out.flush();
      stop.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
