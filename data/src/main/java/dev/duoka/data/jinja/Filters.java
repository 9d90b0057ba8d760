package dev.duoka.data.jinja;

import dev.duoka.base.NearestName;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** All filters, by name. */
final class Filters {
  private static final Map<String, Filter> ALL = new HashMap<>();

  static {
    ALL.putAll(TextFilters.ALL);
    ALL.putAll(ListFilters.ALL);
    ALL.putAll(ChoiceFilters.ALL);
    ALL.putAll(ValueFilters.ALL);
  }

  private Filters() {}

  /** The filter of that name. */
  static Filter named(String name) {
    Filter filter = ALL.get(name);
    if (filter == null) {
      throw unknown(null, "filter", name);
    }
    return filter;
  }

  /** Refuses a name that there is not, where the template is parsed. */
  static void require(Place place, String name) {
    if (!ALL.containsKey(name)) {
      throw unknown(place, "filter", name);
    }
  }

  private static Fault unknown(@Nullable Place place, String what, String name) {
    return new Fault(
        place,
        "there is no %s '%s' here. %s".formatted(what, name, NearestName.hint(name, ALL.keySet())));
  }
}
