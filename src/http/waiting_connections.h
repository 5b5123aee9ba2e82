// WaitingConnections: the connections of one loop on which no request is in progress, by the address that they come from, those first that
// have waited longest for a complete request or its admission. One of them is closed when another address needs its place. Loop thread only.
#pragma once

#include <boost/intrusive/list.hpp>
#include <cstddef>
#include <map>
#include <string>

namespace cloister::http {

// The part of a connection that stands in the list. Whoever destroys it is in no list any more.
class WaitingConnection : public boost::intrusive::list_base_hook<boost::intrusive::tag<class WaitingTag>> {
 public:
  // Ends now. No reply is lost.
  virtual void give_up_place() = 0;

 protected:
  ~WaitingConnection() = default;
};

class WaitingConnections {
 public:
  // All connections of one address.
  class Group {
   public:
    void add(WaitingConnection& connection) { waiting_.push_back(connection); }
    void remove(WaitingConnection& connection) { waiting_.erase(waiting_.iterator_to(connection)); }

   private:
    friend class WaitingConnections;
    boost::intrusive::list<
        WaitingConnection,
        boost::intrusive::base_hook<boost::intrusive::list_base_hook<boost::intrusive::tag<WaitingTag>>>,
        boost::intrusive::constant_time_size<false>>
        waiting_;
    std::size_t members_ = 0;
  };

  // For a connection of this address, until leave().
  Group& join(const std::string& address);
  void leave(const std::string& address);
  // Closes the one of this address that has waited longest. False when none waits.
  bool close_oldest(const std::string& address);

 private:
  std::map<std::string, Group> groups_;
};

}  // namespace cloister::http
