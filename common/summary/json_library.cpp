// Boost.JSON's definitions, once: the library is used by its headers, so that no package of a
// distribution is needed where the program runs.
#include <boost/json/src.hpp>
