/**
 * What is known of hardware before looking at a machine: cards, links, hosts and prices, each with
 * its source, in one data file that a user's own may overlay. Read {@code Catalogue} first, then
 * {@code Card}, {@code Machine} and {@code LinkTable}.
 */
package dev.duoka.hardware;
