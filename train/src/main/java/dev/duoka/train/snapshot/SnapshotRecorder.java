package dev.duoka.train.snapshot;

import dev.duoka.base.DuokaException;
import dev.duoka.base.IoReason;
import dev.duoka.formats.json.Json;
import dev.duoka.tensor.UsedProducts;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.node.ObjectNode;

/**
 * Writes the snapshot of a start into its run's folder, and afterwards the algorithms that its
 * products are computed by, which nobody knows before they were needed. For the first rank of a
 * run's first process. One that cannot be written is said, and costs no run.
 */
public final class SnapshotRecorder {
  private final SnapshotStore store;
  private final Consumer<String> notice;
  private Optional<SnapshotLog.Start> start = Optional.empty();
  private @Nullable String productsWritten;

  /**
   * A recorder of a run.
   *
   * @param notice hears what is written, and what cannot be
   */
  public SnapshotRecorder(Path run, Consumer<String> notice) {
    this.store = new SnapshotStore(run);
    this.notice = notice;
  }

  /**
   * Begins to look at the machine and the program, on a thread of its own; returns at once. To be
   * called as soon as a run is prepared, so that all is known when it starts.
   */
  public static void prepare() {
    var _ = StartFacts.begin(); // it is awaited when the run starts
  }

  /**
   * What a run itself knows of its start.
   *
   * @param config the resolved run file
   * @param data keys of the data, by name: tokenizer, tokens
   * @param weightSeed seed of the first weights
   * @param dataSeed seed of the order and the split
   * @param placement where the ranks are, as {@code placement.json} has it; empty where that is not
   *     known
   */
  public record RunFacts(
      String config,
      Map<String, String> data,
      long weightSeed,
      long dataSeed,
      Optional<ObjectNode> placement) {
    public RunFacts {
      data = new TreeMap<>(data);
    }
  }

  /**
   * Writes the snapshot, if it is not there, and the start.
   *
   * @param afterStep the step that the run has taken last
   */
  public void start(RunFacts run, long afterStep) {
    try {
      RunSnapshot snapshot = RunSnapshot.of(content(run, StartFacts.await()));
      SnapshotLog.Start written = store.addStart(snapshot, afterStep);
      start = Optional.of(written);
      notice.accept("start " + written.number() + " has the snapshot " + snapshot.shortHash());
    } catch (IOException e) {
      notice.accept(notWritten(IoReason.of(e)));
    } catch (DuokaException e) {
      notice.accept(notWritten(e.problem()));
    }
  }

  /** Adds the algorithms of products that are in use by now, unless these are written already. */
  public void products() {
    SortedMap<String, SortedMap<String, String>> used = UsedProducts.soFar();
    if (start.isEmpty() || used.isEmpty()) {
      return;
    }
    ObjectNode document = Json.object();
    ObjectNode products = document.putObject("products");
    used.forEach(
        (library, algorithms) -> {
          ObjectNode of = products.putObject(library.replace('.', '-'));
          algorithms.forEach((product, algorithm) -> of.put(product, algorithm));
        });
    String text = Json.line(document);
    if (text.equals(productsWritten)) {
      return;
    }
    try {
      store.addProducts(start.get(), document);
      productsWritten = text;
    } catch (IOException e) {
      notice.accept(notWritten(IoReason.of(e)));
    } catch (DuokaException e) {
      notice.accept(notWritten(e.problem()));
    }
  }

  private static String notWritten(String why) {
    return "the snapshot of this start is not written: " + why + ". The run goes on without";
  }

  static ObjectNode content(RunFacts run, ObjectNode facts) {
    ObjectNode content = Json.object();
    content.put(RunSnapshot.CONFIG, run.config());
    ObjectNode seed = content.putObject("seed");
    seed.put("weights", run.weightSeed());
    seed.put("data", run.dataSeed());
    ObjectNode data = content.putObject("data");
    run.data().forEach((name, key) -> data.put(name.replaceFirst("^data\\.", ""), key));
    content.setAll(facts);
    run.placement().ifPresent(placement -> content.set("placement", PlacementFacts.of(placement)));
    return content;
  }
}
