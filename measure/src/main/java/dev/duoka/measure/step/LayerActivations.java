package dev.duoka.measure.step;

import dev.duoka.engine.autograd.FunctionObserver;
import dev.duoka.engine.autograd.Work;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.MemoryLedger;
import dev.duoka.tensor.MemoryOwner;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The activations that each decoder layer leaves behind in a forward pass. One thread. */
public final class LayerActivations implements FunctionObserver {
  private static final Pattern LAYER = Pattern.compile("model\\.layers\\.(\\d+)\\.");

  /** The name of the function that is a whole layer under full recompute. */
  private static final String RECOMPUTED_LAYER = "recomputed block";

  /** Where the name of no layer has been seen yet, and behind the last layer. */
  private static final int NONE = -1;

  private final MemoryLedger ledger;
  private final Map<Integer, Long> bytes = new TreeMap<>();
  private int layer = NONE;
  private int blocks;
  private long before;
  private boolean forwardEnded;

  /** Looks at what lives on {@code device}. */
  public LayerActivations(Device device) {
    ledger = MemoryLedger.of(device);
  }

  /** Bytes by the number of the layer, of the first forward pass that was seen. */
  public Map<Integer, Long> bytes() {
    return bytes;
  }

  /** What was kept, and freed, since the function before began is that function's. */
  @Override
  public void begin(Phase phase, String name) {
    if (forwardEnded) {
      return;
    }
    long now = live();
    if (layer != NONE) {
      bytes.merge(layer, now - before, Long::sum);
    }
    before = now;
    forwardEnded = phase != Phase.FORWARD;
    Matcher matcher = LAYER.matcher(name);
    if (matcher.find()) {
      layer = Integer.parseInt(matcher.group(1));
    } else if (name.equals(RECOMPUTED_LAYER)) { // what is inside is not seen
      layer = blocks++;
    } else if (name.contains("model.")) {
      layer = NONE; // the final norm
    }
  }

  @Override
  public void end(Phase phase, String name, Work work) {}

  private long live() {
    return ledger.liveByOwner().getOrDefault(MemoryOwner.ACTIVATIONS, 0L);
  }
}
