/**
 * Which cards and machines there are: rates, links, prices, each with its source, as data that a
 * user's own file may overlay. Read {@code Catalogue} first, then {@code Card} and {@code Machine}.
 */
package dev.duoka.planner.catalogue;
