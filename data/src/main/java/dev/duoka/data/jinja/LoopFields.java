package dev.duoka.data.jinja;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** What {@code loop} knows. */
final class LoopFields {
  private LoopFields() {}

  static @Nullable Value of(Value.Loop loop, String name) {
    List<Value> items = loop.items;
    int index = loop.index;
    int last = items.size() - 1;
    return switch (name) {
      case "index" -> Value.of(index + 1L);
      case "index0" -> Value.of((long) index);
      case "revindex" -> Value.of(last - index + 1L);
      case "revindex0" -> Value.of((long) last - index);
      case "first" -> Value.of(index == 0);
      case "last" -> Value.of(index == last);
      case "length" -> Value.of(items.size());
      case "depth" -> Value.of(1); // recursive loops alone have others
      case "depth0" -> Value.of(0);
      case "previtem" ->
          index > 0 ? items.get(index - 1) : new Value.Undefined("there is no previous item");
      case "nextitem" ->
          index < last ? items.get(index + 1) : new Value.Undefined("there is no next item");
      case "cycle" ->
          Builtin.of(
              "loop.cycle",
              (run, given) -> {
                if (given.positional().isEmpty()) {
                  throw new Fault("loop.cycle needs values");
                }
                return given.positional().get(index % given.positional().size());
              });
      case "changed" ->
          Builtin.of("loop.changed", (run, given) -> Value.of(loop.changed(given.positional())));
      default -> null;
    };
  }
}
