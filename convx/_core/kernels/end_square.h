/* Forgets what square.h defined. */

#undef LOW
#undef HIGH
#undef TWO
#undef FOUR
#undef EIGHT
#undef EVERY_LANE
#undef EXCHANGE
