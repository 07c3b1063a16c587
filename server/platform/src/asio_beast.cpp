// The one translation unit that holds the bodies of Asio and Beast (…_SEPARATE_COMPILATION on the target).
#include <boost/asio/impl/src.hpp>
#include <boost/asio/ssl/impl/src.hpp>
#include <boost/beast/src.hpp>
